//! `/studio/api/rosters`: who gets a credential. A roster is handed in once, looked at as often as its columns are meant
//! otherwise, and used by one run.

use std::{collections::BTreeMap, fs::File, sync::Arc};

use axum::{Json, body::Body, extract::State};
use serde::{Deserialize, Serialize};

use super::{
    Studio,
    access::Issuer,
    blocking,
    books::{Deed, What},
    extract::{Parameters, Segments},
    problem::{Kind, Problem},
    templates,
};
use crate::{
    clock::now,
    credential,
    profile::Profile,
    roster::{Award, DateOrder, Field, Roster, RosterFault, RosterOptions, Row, RowFault},
    template::Template,
};

/// Rows with faults that are told; all are counted.
const MOST_TOLD: usize = 500;
/// Rows that are shown as they are understood.
const SAMPLE: usize = 10;

/// Which of day and month comes first in `03/04/2026`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Dates {
    /// The third of April.
    DayFirst,
    /// The fourth of March.
    MonthFirst,
}

/// How a roster is meant, where it does not say so itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Meaning {
    /// Columns by their headings: `{"id": "Matrikel", "email": "Work address"}`.
    pub map: BTreeMap<String, String>,
    /// Which comes first in dates like 03/04/2026; without it such dates are refused.
    pub dates: Option<Dates>,
    /// The period of rows that name none: it tells awards of one achievement to one person apart.
    pub period: String,
}

impl Meaning {
    /// The same for whoever reads the roster.
    pub fn options(&self) -> Result<RosterOptions, Problem> {
        let field = |(field, heading): (&String, &String)| match field.parse::<Field>() {
            Ok(field) => Ok((field, heading.clone())),
            Err(unknown) => Err(Problem::new(Kind::BadRequest, format!("map: {field}: {unknown}"))),
        };
        let dates = self.dates.map(|dates| match dates {
            Dates::DayFirst => DateOrder::DayFirst,
            Dates::MonthFirst => DateOrder::MonthFirst,
        });
        let map = self.map.iter().map(field).collect::<Result<_, _>>()?;
        Ok(RosterOptions { map, dates, period: self.period.clone(), ..RosterOptions::default() })
    }
}

/// What a roster is looked at for.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Looking {
    /// The template's name.
    template: String,
    /// Columns by their headings, as the text of a JSON object: `{"email": "Work address"}`.
    map: Option<String>,
    /// `day-first` or `month-first`.
    dates: Option<Dates>,
    /// The period of rows that name none.
    period: Option<String>,
}

impl Looking {
    fn meaning(&self) -> Result<Meaning, Problem> {
        let refused = |_| Problem::new(Kind::BadRequest, "map: write a JSON object: {\"email\": \"Work address\"}");
        let map = self.map.as_deref().map(serde_json::from_str).transpose().map_err(refused)?;
        let period = self.period.clone().unwrap_or_default();
        Ok(Meaning { map: map.unwrap_or_default(), dates: self.dates, period })
    }
}

/// A heading.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Heading {
    /// As it stands in the file.
    heading: String,
    /// The field that it means: `id`, `email`, `result:Final exam`. `null`: nothing that is read.
    meaning: Option<String>,
}

/// Something that is wrong with a row.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Cell {
    /// The heading of the column; `null` where the row as a whole is meant.
    column: Option<String>,
    /// What is wrong, and what to do.
    what: String,
}

/// A row that gets no credential as it is.
#[derive(Serialize, utoipa::ToSchema)]
pub struct BadRow {
    /// The line at which it begins, as an editor counts.
    line: u64,
    /// All that is wrong with it.
    faults: Vec<Cell>,
}

/// A row as it is understood.
#[derive(Serialize, utoipa::ToSchema)]
pub struct GoodRow {
    /// The line at which it begins.
    line: u64,
    /// What makes the learner the same one in two rosters.
    learner: String,
    /// What people call them.
    name: Option<String>,
    /// Where to write to.
    email: Option<String>,
    /// Their decentralized identifier.
    did: Option<String>,
    /// When it was earned.
    awarded: Option<String>,
    /// Until when it is valid, where the roster says so.
    expires: Option<String>,
    /// Which of several awards of one achievement it is.
    period: String,
}

/// What a roster says.
#[derive(Default, Serialize, utoipa::ToSchema)]
pub struct Looked {
    /// Its id.
    roster: String,
    /// How many rows it has.
    rows: u64,
    /// How many of them can get a credential.
    good: u64,
    /// Its headings, in their order; none in a file of JSON lines.
    headings: Vec<Heading>,
    /// The first rows that cannot.
    faults: Vec<BadRow>,
    /// The first rows that can, as they are understood.
    sample: Vec<GoodRow>,
    /// What is worth a word.
    notes: Vec<String>,
    /// Why it cannot be read at all. With other meanings for its headings it may be.
    fault: Option<String>,
}

/// Takes a roster: the file as it is (CSV or JSON lines), at most 64 MiB.
#[utoipa::path(post, path = "/studio/api/rosters", tag = "issuing", params(Looking),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = Looked), (status = "4XX", body = super::api::Problem)))]
pub async fn upload(
    State(studio): State<Arc<Studio>>,
    Issuer(session): Issuer,
    Parameters(looking): Parameters<Looking>,
    body: Body,
) -> Result<Json<Looked>, Problem> {
    let template = studio.template(&looking.template).await?;
    let meaning = looking.meaning()?;
    meaning.options()?;
    let id = studio.receive(body).await?;
    let deed = Deed { who: session.name, what: What::UploadRoster, on: format!("{id}: {}", looking.template) };
    let acting = studio.clone();
    let checking = async move {
        acting.books.add_roster(&id, 0, now())?;
        acting.look_at(id, template, meaning).await
    };
    studio.logged(deed, checking).await.map(Json)
}

/// Looks at a roster again, with its columns meant otherwise or for another template.
#[utoipa::path(get, path = "/studio/api/rosters/{roster}", tag = "issuing", params(("roster" = String, Path), Looking),
    responses((status = 200, body = Looked), (status = "4XX", body = super::api::Problem)))]
pub async fn look(
    State(studio): State<Arc<Studio>>,
    _: Issuer,
    Segments(id): Segments<String>,
    Parameters(looking): Parameters<Looking>,
) -> Result<Json<Looked>, Problem> {
    studio.roster_rows(&id)?;
    let template = studio.template(&looking.template).await?;
    studio.look_at(id, template, looking.meaning()?).await.map(Json)
}

impl Studio {
    /// A template without faults.
    pub(super) async fn template(self: &Arc<Self>, name: &str) -> Result<Template, Problem> {
        let text = self.template_text(name).await?;
        self.usable(&text, name)
    }

    /// A template that something can be issued by.
    pub(super) fn usable(&self, text: &str, name: &str) -> Result<Template, Problem> {
        templates::parse(text, &self.templates(), name).map_err(|faults| {
            let help = format!("the template {name} has {} faults: mend it first", faults.0.len());
            Problem::new(Kind::Unfit, help)
        })
    }

    /// How many rows a roster has that is there.
    pub(super) fn roster_rows(&self, id: &str) -> Result<u64, Problem> {
        let gone = || Problem::new(Kind::Unknown, "there is no such roster any more: hand it in again");
        self.books.roster(id)?.ok_or_else(gone)
    }

    async fn look_at(self: &Arc<Self>, id: String, template: Template, meaning: Meaning) -> Result<Looked, Problem> {
        let (studio, options) = (self.clone(), meaning.options()?);
        blocking(move || {
            let file = File::open(studio.roster_path(&id)).map_err(|error| Problem::internal(&error))?;
            let looked = match Roster::new(Box::new(file), &options) {
                Ok(roster) => read(roster, &studio.config.profile, &template),
                Err(fault) => unreadable(fault),
            };
            studio.books.set_roster_rows(&id, looked.rows)?;
            Ok(Looked { roster: id, ..looked })
        })
        .await
    }
}

/// Nothing of it can be read, except perhaps its headings.
fn unreadable(fault: RosterFault) -> Looked {
    let found = match &fault {
        RosterFault::NoLearner { found } | RosterFault::NoSuchHeading { found, .. } => found.clone(),
        _ => Vec::new(),
    };
    let headings = found.into_iter().map(|heading| {
        let meaning = heading.parse::<Field>().ok().map(|field| field.to_string());
        Heading { heading, meaning }
    });
    Looked { headings: headings.collect(), fault: Some(fault.to_string()), ..Looked::default() }
}

fn read(mut roster: Roster, profile: &Profile, template: &Template) -> Looked {
    let heading = |(heading, field): (&str, Option<&Field>)| Heading {
        heading: heading.to_owned(),
        meaning: field.map(ToString::to_string),
    };
    let mut looked = Looked { headings: roster.columns().into_iter().map(heading).collect(), ..Looked::default() };
    for row in roster.by_ref() {
        looked.add(row, profile, template);
    }
    looked.notes = roster.notes().iter().map(ToString::to_string).collect();
    looked
}

impl Looked {
    fn add(&mut self, Row { line, award, .. }: Row, profile: &Profile, template: &Template) {
        self.rows += 1;
        let checked =
            award.map_err(cells).and_then(|award| match credential::check(profile, template, &award, now()) {
                Ok(()) => Ok(award),
                Err(misfit) => Err(vec![Cell { column: None, what: misfit.to_string() }]),
            });
        match checked {
            Ok(award) => {
                self.good += 1;
                if self.sample.len() < SAMPLE {
                    self.sample.push(shown(line, award));
                }
            }
            Err(faults) if self.faults.len() < MOST_TOLD => self.faults.push(BadRow { line, faults }),
            Err(_) => {}
        }
    }
}

fn cells(fault: RowFault) -> Vec<Cell> {
    fault.faults.into_iter().map(|cell| Cell { column: cell.column, what: cell.fault.to_string() }).collect()
}

fn shown(line: u64, Award { learner, awarded, expires, period, .. }: Award) -> GoodRow {
    GoodRow {
        line,
        learner: learner.key,
        name: learner.name,
        email: learner.email,
        did: learner.did,
        awarded: awarded.map(|time| time.to_string()),
        expires: expires.map(|time| time.to_string()),
        period,
    }
}
