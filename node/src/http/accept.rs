//! Which form of a resource a request asks for (RFC 9110, 12.5.1).

use axum::http::{HeaderMap, header};

/// The offer that the request likes best, or `None` where it takes none of them. Of equals, and where the request does
/// not say, the first.
pub fn choose<T: Copy>(headers: &HeaderMap, offers: &[(&'static str, T)]) -> Option<(&'static str, T)> {
    let values = headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    let accept = values.collect::<Vec<_>>().join(",").to_ascii_lowercase();
    if accept.trim().is_empty() {
        return offers.first().copied();
    }
    let liked = offers.iter().map(|offer| (quality(&accept, offer.0), offer)).filter(|(quality, _)| *quality > 0.0);
    // Of equals `reduce` keeps the first.
    liked.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, offer)| *offer)
}

/// What the most specific range says that a media type falls into; 0: not wanted.
fn quality(accept: &str, media_type: &str) -> f32 {
    let (kind, _) = media_type.split_once('/').unwrap_or_default();
    let ranges = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let specific = match parts.next()? {
            range if range == media_type => 3,
            range if range.strip_suffix("/*") == Some(kind) => 2,
            "*/*" => 1,
            _ => return None,
        };
        let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse);
        Some((specific, quality.unwrap_or(0.0)))
    });
    ranges.reduce(|best, next| if next.0 > best.0 { next } else { best }).map_or(0.0, |(_, quality)| quality)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_liked_form_is_chosen() {
        let offers = [("application/vc", 'v'), ("application/vc+jwt", 'j'), ("application/json", 'p')];
        for (accept, chosen) in [
            ("", Some('v')),
            ("*/*", Some('v')),
            ("application/*", Some('v')),
            ("application/json", Some('p')),
            ("APPLICATION/JSON", Some('p')),
            ("application/json, text/plain, */*", Some('v')), // equals: our order
            ("application/json, */*;q=0.5", Some('p')),
            ("application/vc+jwt;q=0.4, application/json;q=0.3", Some('j')),
            ("application/vc;q=0, */*", Some('j')),
            ("*/*;q=0.1,application/vc+jwt;profile=x;q=0.9", Some('j')),
            ("text/html", None),
            ("text/*;q=1", None),
            ("application/json;q=much", None),
            (",;q=,*/", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            assert_eq!(choose(&headers, &offers).map(|offer| offer.1), chosen, "{accept}");
        }
        assert_eq!(choose(&HeaderMap::new(), &offers), Some(("application/vc", 'v')));
        assert_eq!(choose::<()>(&HeaderMap::new(), &[]), None);
    }
}
