//! `/studio/api/templates`: what credentials are awarded for, as files of the folder of templates. A template is kept as
//! it was written, its faults are told with it, and nothing is issued by one that has any.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use testamur::files;
use testamur_core::UnixSeconds;

use super::{
    Studio,
    access::{Issuer, Viewer},
    blocking,
    books::{Deed, What},
    extract::{Object, Segments},
    problem::{Kind, Problem},
};
use crate::{
    clock::now,
    credential::{Issuing, credential},
    profile::Profile,
    roster::{Award, Learner},
    template::{
        Format, Template, TemplateFault, TemplateFaults,
        folder::{self, ENDINGS},
    },
};

/// The largest template: text, and a picture as a `data:` URL.
const MAX_TEXT: usize = 2 << 20;
/// Letters of a name.
const LONGEST: usize = 64;

/// A template's text.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// TOML, or JSON where it begins with `{`.
    text: String,
}

/// A template in the list.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Listed {
    /// What it is called here.
    name: String,
    /// The achievement's name, where it can be read.
    title: Option<String>,
    /// How many faults it has. Nothing is issued by one that has any.
    faults: usize,
}

/// The list.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Templates {
    /// By their names.
    templates: Vec<Listed>,
}

/// Something that is wrong with a template.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Fault {
    /// Where: `achievement.alignment[2].targetUrl`, or `line 3, column 9`. Empty: the template as a whole.
    path: String,
    /// What is wrong.
    what: String,
    /// What to do.
    help: String,
}

/// A template, looked at.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Looked {
    /// What it is called here; not there in a preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// As it was written; not there in a preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Everything that is wrong with it.
    faults: Vec<Fault>,
    /// A credential made by it, for nobody and without a signature; `null` where it has faults.
    #[schema(value_type = Option<Object>)]
    preview: Option<Value>,
}

impl From<TemplateFault> for Fault {
    fn from(TemplateFault { path, what, help }: TemplateFault) -> Self {
        Self { path, what, help }
    }
}

/// All templates.
#[utoipa::path(get, path = "/studio/api/templates", tag = "templates",
    responses((status = 200, body = Templates), (status = "4XX", body = super::api::Problem)))]
pub async fn list(State(studio): State<Arc<Studio>>, _: Viewer) -> Result<Json<Templates>, Problem> {
    let folder = studio.templates();
    let templates = blocking(move || list_folder(&folder).map_err(|error| Problem::internal(&error))).await?;
    Ok(Json(Templates { templates }))
}

/// One template, with a preview.
#[utoipa::path(get, path = "/studio/api/templates/{name}", tag = "templates", params(("name" = String, Path)),
    responses((status = 200, body = Looked), (status = "4XX", body = super::api::Problem)))]
pub async fn one(
    State(studio): State<Arc<Studio>>,
    _: Viewer,
    Segments(name): Segments<String>,
) -> Result<Json<Looked>, Problem> {
    let text = studio.template_text(&name).await?;
    look(studio, Some(name), text).await
}

/// What would be made by a text. Nothing is kept.
#[utoipa::path(post, path = "/studio/api/templates/preview", tag = "templates", request_body = Text,
    responses((status = 200, body = Looked), (status = "4XX", body = super::api::Problem)))]
pub async fn preview(
    State(studio): State<Arc<Studio>>,
    _: Viewer,
    Object(Text { text }): Object<Text>,
) -> Result<Json<Looked>, Problem> {
    check_length(&text)?;
    let Json(looked) = look(studio, None, text).await?;
    Ok(Json(Looked { text: None, ..looked }))
}

/// Writes a template, new or in place of the one of this name.
#[utoipa::path(put, path = "/studio/api/templates/{name}", tag = "templates", params(("name" = String, Path)),
    request_body = Text, responses((status = 200, body = Looked), (status = "4XX", body = super::api::Problem)))]
pub async fn save(
    State(studio): State<Arc<Studio>>,
    Issuer(session): Issuer,
    Segments(name): Segments<String>,
    Object(Text { text }): Object<Text>,
) -> Result<Json<Looked>, Problem> {
    check_name(&name)?;
    check_length(&text)?;
    let deed = Deed { who: session.name, what: What::SaveTemplate, on: name.clone() };
    let (folder, called, bytes) = (studio.templates(), name.clone(), text.clone().into_bytes());
    let write = blocking(move || {
        let file = find(&folder, &called).unwrap_or_else(|| folder.join(format!("{called}.{}", ENDINGS[0])));
        let written = fs::create_dir_all(&folder).and_then(|()| files::replace(&file, &bytes));
        written.map_err(|error| Problem::internal(&error))
    });
    studio.logged(deed, write).await?;
    look(studio, Some(name), text).await
}

/// Removes a template. What was issued by it stays as it is.
#[utoipa::path(delete, path = "/studio/api/templates/{name}", tag = "templates", params(("name" = String, Path)),
    responses((status = 204), (status = "4XX", body = super::api::Problem)))]
pub async fn remove(
    State(studio): State<Arc<Studio>>,
    Issuer(session): Issuer,
    Segments(name): Segments<String>,
) -> Result<StatusCode, Problem> {
    let file = find(&studio.templates(), &name).ok_or_else(|| unknown(&name))?;
    let deed = Deed { who: session.name, what: What::RemoveTemplate, on: name };
    let remove = blocking(move || fs::remove_file(file).map_err(|error| Problem::internal(&error)));
    studio.logged(deed, remove).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Studio {
    /// The folder of templates.
    pub(super) fn templates(&self) -> PathBuf {
        self.config.path(&self.config.templates)
    }

    /// A template as it was written.
    pub(super) async fn template_text(&self, name: &str) -> Result<String, Problem> {
        self.text_in(name, find).await
    }

    /// The template of this `id`, as it is now: the one under which something was issued.
    pub(super) async fn text_of_id(&self, id: &str) -> Result<String, Problem> {
        self.text_in(id, |folder, id| if is_name(id) { folder::find(folder, id) } else { None }).await
    }

    async fn text_in(&self, called: &str, find: fn(&Path, &str) -> Option<PathBuf>) -> Result<String, Problem> {
        let (folder, called) = (self.templates(), called.to_owned());
        let read = move || {
            let file = find(&folder, &called).ok_or_else(|| unknown(&called))?;
            read_text(&file).map_err(|error| Problem::internal(&error))
        };
        blocking(read).await
    }
}

/// A text as a template of this name.
pub(super) fn parse(text: &str, folder: &Path, name: &str) -> Result<Template, TemplateFaults> {
    let is_json = text.trim_start_matches('\u{feff}').trim_start().starts_with('{');
    Template::parse(text, if is_json { Format::Json } else { Format::Toml }, folder, name)
}

async fn look(studio: Arc<Studio>, name: Option<String>, text: String) -> Result<Json<Looked>, Problem> {
    blocking(move || {
        let parsed = parse(&text, &studio.templates(), name.as_deref().unwrap_or("preview"));
        let made = parsed.map(|template| sample(&studio.config.profile, &template));
        let (faults, preview) = match made {
            Ok(preview) => (Vec::new(), preview),
            Err(faults) => (faults.0.into_iter().map(Fault::from).collect(), None),
        };
        Ok(Json(Looked { name, text: Some(text), faults, preview }))
    })
    .await
}

/// A credential for nobody, as the template would make it.
fn sample(profile: &Profile, template: &Template) -> Option<Value> {
    let learner = Learner {
        key: "sample".to_owned(),
        name: Some("Ada Lovelace".to_owned()),
        email: Some("ada@example.org".to_owned()),
        did: Some("did:example:ada".to_owned()),
    };
    let issuing = Issuing {
        id: "urn:uuid:00000000-0000-4000-8000-000000000000".to_owned(),
        issued: now(),
        status: &[],
        salt: [0; 16],
        supersedes: None,
    };
    credential(profile, template, &award(learner), &issuing).ok().map(Value::Object)
}

fn award(learner: Learner) -> Award {
    Award {
        learner,
        awarded: None::<UnixSeconds>,
        expires: None,
        period: String::new(),
        term: None,
        role: None,
        license_number: None,
        credits_earned: None,
        narrative: None,
        evidence: Vec::new(),
        results: Vec::new(),
    }
}

fn list_folder(folder: &Path) -> io::Result<Vec<Listed>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let is_template = path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known));
        let name = path.file_stem().and_then(|stem| stem.to_str()).filter(|name| is_template && is_name(name));
        names.extend(name.map(str::to_owned));
    }
    names.sort();
    names.dedup();
    names.into_iter().map(|name| list_one(folder, name)).collect()
}

fn list_one(folder: &Path, name: String) -> io::Result<Listed> {
    let text = find(folder, &name).map(|file| read_text(&file)).transpose()?.unwrap_or_default();
    let (title, faults) = match parse(&text, folder, &name) {
        Ok(template) => (Some(template.achievement.name().to_owned()), 0),
        Err(faults) => (None, faults.0.len()),
    };
    Ok(Listed { name, title, faults })
}

/// As much as a template may have, and one byte more, so that a larger one is told as such.
fn read_text(file: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    fs::File::open(file)?.take(MAX_TEXT as u64 + 1).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The file of a template, if its name is one and it is there.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    if is_name(name) { folder::file(folder, name) } else { None }
}

/// Small letters, digits, `-`, `_` and `.`, a letter or digit first: no name leads out of the folder.
fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    let first = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    // It is the address of the preview.
    first && name.len() <= LONGEST && name.chars().all(allowed) && name != "preview"
}

fn check_name(name: &str) -> Result<(), Problem> {
    let help = "a template's name has up to 64 small letters, digits, -, _ and ., a letter or digit first";
    if is_name(name) { Ok(()) } else { Err(Problem::new(Kind::Unfit, help)) }
}

fn check_length(text: &str) -> Result<(), Problem> {
    let help = "a template has at most 2 MiB: put pictures into files of their own";
    if text.len() <= MAX_TEXT { Ok(()) } else { Err(Problem::new(Kind::TooLarge, help)) }
}

fn unknown(name: &str) -> Problem {
    let shown = if is_name(name) { name } else { "of this name" };
    Problem::new(Kind::Unknown, format!("there is no template {shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for name in ["botany", "b.sc-2026_1", "0"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "A", "a\0", "ü", "-a", "preview", &"a".repeat(65)]
        {
            assert!(!is_name(name), "{name:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret.toml"), "x").unwrap();
        fs::create_dir(folder.path().join("templates")).unwrap();
        assert_eq!(find(&folder.path().join("templates"), "../secret"), None);
        assert!(find(folder.path(), "secret").is_some());
    }

    #[test]
    fn a_folder_is_listed_with_what_is_wrong_in_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("good.toml"), crate::template::EXAMPLE).unwrap();
        fs::write(folder.path().join("bad.json"), "{}").unwrap();
        fs::write(folder.path().join("logo.svg"), "<svg/>").unwrap();
        fs::write(folder.path().join("Not A Name.toml"), "").unwrap();
        let listed = list_folder(folder.path()).unwrap();
        let names: Vec<_> = listed.iter().map(|listed| (listed.name.as_str(), listed.faults > 0)).collect();
        assert_eq!(names, [("bad", true), ("good", false)]);
        assert!(list_folder(&folder.path().join("none")).unwrap().is_empty());
    }
}
