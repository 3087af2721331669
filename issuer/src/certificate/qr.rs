//! The link as a QR code (ISO/IEC 18004).

use std::fmt::Write;

use fast_qr::{ECL, QRBuilder};

use super::Fault;

/// Modules of white around it, which readers need.
const QUIET: usize = 4;

/// One path of dark modules in a white square that begins at `x`, `y`.
pub(super) fn svg(link: &str, x: f32, y: f32, side: f32) -> Result<String, Fault> {
    // M: paper is folded and stained, and the code is still coarse enough to be read.
    let code = QRBuilder::new(link).ecl(ECL::M).build().map_err(|_| Fault::LongLink { found: link.len() })?;
    let module = side / (code.size + 2 * QUIET) as f32;
    let mut path = String::new();
    for row in 0..code.size {
        let dark = |column: usize| code[row][column].value();
        let mut column = 0;
        while column < code.size {
            let run = (column..code.size).take_while(|&at| dark(at)).count();
            if run > 0 {
                write!(path, "M{} {}h{run}v1h-{run}z", column + QUIET, row + QUIET)
                    .expect("a text takes what is written");
            }
            column += run.max(1);
        }
    }
    Ok(format!(
        "<g transform=\"translate({x} {y})\"><rect width=\"{side}\" height=\"{side}\" fill=\"#ffffff\"/>\
         <path transform=\"scale({module})\" d=\"{path}\" fill=\"#000000\"/></g>"
    ))
}
