//! How credentials are made, whichever command makes them.

use std::{path::Path, time::Duration};

use clap::ValueEnum;
use testamur_credentials::sign::{Signer, Suite};
use testamur_issuer::{
    config::{Settings, Settled},
    issue::{AT_ONCE, Order},
    template::Template,
};

#[derive(clap::Args)]
pub(super) struct Making {
    /// How it is signed: eddsa-jcs-2022, eddsa-rdfc-2022, or vc-jwt (a token, with its receipt beside it). Default: as
    /// configured.
    #[arg(long, value_name = "SUITE")]
    suite: Option<Suite>,
    /// How settled an anchor must be before its credential is written. Default: as configured.
    #[arg(long, value_enum)]
    wait: Option<WaitFor>,
    /// Seconds that a node is waited for which tells what keeps it from anchoring.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    patience: u64,
    /// Credentials worked on at a time.
    #[arg(long, value_name = "N", default_value_t = AT_ONCE, hide = true)]
    at_once: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum WaitFor {
    /// In a block, which may still be undone.
    Included,
    /// In a finalized block.
    Final,
}

impl From<WaitFor> for Settled {
    fn from(wait: WaitFor) -> Self {
        match wait {
            WaitFor::Included => Self::Included,
            WaitFor::Final => Self::Final,
        }
    }
}

impl Making {
    pub fn order<'a>(
        &self,
        settings: &'a Settings,
        template: &'a Template,
        signer: Signer<'a>,
        folder: &'a Path,
        journals: &'a Path,
    ) -> Order<'a> {
        Order {
            profile: &settings.profile,
            template,
            signer,
            suite: self.suite.unwrap_or(settings.signing.suite),
            account: settings.node.account,
            folder,
            supersede: None,
            wait: self.wait.map_or(settings.node.wait, Settled::from).into(),
            at_once: self.at_once.max(1),
            patience: Duration::from_secs(self.patience),
            journals,
        }
    }
}
