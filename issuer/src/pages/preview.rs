//! What social sites show of a page: only the lines that its learner put there, as text for their crawlers and as a
//! picture.

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;

use super::{
    Shared,
    access::page_id,
    problem::{Kind, Problem},
    store::{Lines, Preview},
};
use crate::{
    certificate::{self, Language, PREVIEW_SIZE},
    markup::escape,
};

/// Letters of a line: more does not fit a picture.
const MAX_LINE: usize = 200;

/// Whether these are lines.
pub fn check(lines: &Lines) -> Result<(), Problem> {
    let wrong = |what: String| Err(Problem::new(Kind::BadRequest, what));
    let mut is_empty = true;
    for line in [&lines.achievement, &lines.issuer, &lines.name, &lines.date].into_iter().flatten() {
        if line.chars().any(char::is_control) || line.trim().is_empty() {
            return wrong("a line must be one line with something in it".to_owned());
        }
        if line.chars().count() > MAX_LINE {
            return wrong(format!("a line has {MAX_LINE} letters at most"));
        }
        is_empty = false;
    }
    if is_empty { wrong("there are no lines; to show nothing, delete the preview".to_owned()) } else { Ok(()) }
}

/// The lines with the picture of them.
pub async fn paint(shared: &Shared, lines: Lines, language: Language) -> Result<(Lines, Vec<u8>), Problem> {
    let fonts = shared.fonts;
    let painting = spawn_blocking(move || {
        let preview = certificate::preview(&lines, language, fonts)?;
        Ok((lines, preview.png))
    });
    let painted: Result<_, certificate::Fault> = painting.await.map_err(|error| Problem::internal(&error))?;
    painted.map_err(|fault| Problem::internal(&fault))
}

/// `GET /c/{id}/preview.png`.
pub async fn picture(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = page_id(&id)?;
    let Preview { png, .. } = shared.with_store(move |store| store.preview(&id)).await?;
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&png)[..16]));
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let kept = [
        (header::ETAG, HeaderValue::try_from(tag).expect("hex in quotes is a header's value")),
        // The learner may take it back at any time.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_TYPE, HeaderValue::from_static("image/png")),
    ];
    Ok(if is_known { (StatusCode::NOT_MODIFIED, kept).into_response() } else { (kept, png).into_response() })
}

/// The lines as Open Graph has them (ogp.me), for the head of the page's HTML.
pub fn tags(lines: &Lines, page: &str) -> String {
    let known = |line: &Option<String>| line.as_deref().map(escape);
    let (achievement, name) = (known(&lines.achievement), known(&lines.name));
    let title = [achievement, name].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let more = [known(&lines.issuer), known(&lines.date)].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let (title, more) = if title.is_empty() { (more, String::new()) } else { (title, more) };
    let page = escape(page);
    let mut tags = vec![
        ("og:type", "website".to_owned()),
        ("og:title", title),
        ("og:url", page.clone()),
        ("og:image", format!("{page}/preview.png")),
        ("og:image:type", "image/png".to_owned()),
        ("og:image:width", PREVIEW_SIZE.0.to_string()),
        ("og:image:height", PREVIEW_SIZE.1.to_string()),
    ];
    if !more.is_empty() {
        tags.push(("og:description", more));
    }
    let mut tags: String =
        tags.iter().map(|(name, text)| format!("<meta property=\"{name}\" content=\"{text}\" />")).collect();
    tags.push_str("<meta name=\"twitter:card\" content=\"summary_large_image\" />");
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(achievement: &str, name: Option<&str>) -> Lines {
        Lines { achievement: Some(achievement.to_owned()), name: name.map(str::to_owned), ..Lines::default() }
    }

    #[test]
    fn a_line_is_one_line_and_there_is_one() {
        assert_eq!(check(&lines("Botany", None)), Ok(()));
        for bad in [lines("a\nb", None), lines(" ", None), lines(&"ñ".repeat(201), None), Lines::default()] {
            assert_eq!(check(&bad).unwrap_err().kind, Kind::BadRequest, "{bad:?}");
        }
    }

    #[test]
    fn what_the_learner_wrote_is_no_markup() {
        let tags = tags(&lines("\"><script>alert(1)</script>", Some("Ana & Co")), "https://a.example/c/x");
        assert!(!tags.contains("<script"), "{tags}");
        assert!(tags.contains("content=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt; · Ana &amp; Co\""), "{tags}");
        assert!(tags.contains("og:image\" content=\"https://a.example/c/x/preview.png\""));
        assert!(!tags.contains("og:description"));
    }
}
