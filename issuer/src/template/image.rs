//! Pictures of achievements: a PNG or SVG file beside the template, which every credential then carries inside itself,
//! or an address. What a file can do to whoever looks at it is checked here, once.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Component, Path},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use testamur_credentials::baked;

use super::{forms::is_link, svg};

/// The largest picture, in bytes: 1 MiB. It becomes a part of every credential.
pub const MAX_IMAGE: u64 = 1 << 20;
/// The most pixels: what is drawn, printed or scaled down later takes four bytes for each.
pub(crate) const MAX_PIXELS: u64 = 1 << 24;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Why a picture is refused.
#[derive(Debug, thiserror::Error)]
pub enum ImageFault {
    /// It begins with a scheme that is none of those that are taken.
    #[error("it is no https: address, no PNG or SVG as a data: URL, and no file name")]
    Address,
    /// The name leads out of the template's folder.
    #[error("the file does not lie in the template's folder")]
    Outside,
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// A folder, a device.
    #[error("it is no file")]
    NoFile,
    /// It would be a part of every credential.
    #[error("the picture has {found} bytes, and at most {MAX_IMAGE} are taken")]
    TooLarge {
        /// Its length.
        found: u64,
    },
    /// It takes too much memory to look at.
    #[error("the picture has {width} × {height} pixels, and at most {MAX_PIXELS} in all are taken")]
    TooWide {
        /// Pixels from left to right.
        width: u32,
        /// Pixels from top to bottom.
        height: u32,
    },
    /// By its content, whatever its name says.
    #[error("it is neither PNG nor SVG")]
    Format,
    /// It is cut off, or its parts lie about themselves.
    #[error("the picture is damaged")]
    Damaged,
    /// Somebody's badge, and not the picture of one.
    #[error("a credential is baked into it already")]
    Baked,
    /// Whoever looks at it would run a program, or tell somebody that they look.
    #[error("the SVG {0}")]
    Active(#[from] svg::Active),
}

impl ImageFault {
    /// What to do.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Address | Self::Outside | Self::NoFile => {
                "put a PNG or SVG file beside the template and write its name, or write an https:// address"
            }
            Self::Unreadable(_) => "look whether the name is right and the file may be read",
            Self::TooLarge { .. } | Self::TooWide { .. } => "make it smaller: 400 × 400 pixels are enough for a badge",
            Self::Format | Self::Damaged => "save it again as PNG or SVG",
            Self::Baked => "take the picture without the credential",
            Self::Active(_) => "export it as plain SVG (Inkscape: “Plain SVG”), or as PNG",
        }
    }
}

/// What stands as the `id` of an `Image`: the address `source`, or the file of this name below `base`, as a `data:` URL.
pub fn picture(source: &str, base: &Path) -> Result<String, ImageFault> {
    if let Some(data) = source.strip_prefix("data:") {
        return embedded(data);
    }
    if source.starts_with("https://") {
        return if is_link(source) { Ok(source.to_owned()) } else { Err(ImageFault::Address) };
    }
    if source.contains(':') {
        return Err(ImageFault::Address);
    }
    data_url(&beside(source, base)?)
}

/// The bytes of the file `name` below `base`; of a large one, not even the first is read.
fn beside(name: &str, base: &Path) -> Result<Vec<u8>, ImageFault> {
    let plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if name.is_empty() || !plain {
        return Err(ImageFault::Outside);
    }
    let base = fs::canonicalize(if base.as_os_str().is_empty() { Path::new(".") } else { base })?;
    // Through all symbolic links.
    let path = fs::canonicalize(base.join(name))?;
    if !path.starts_with(&base) {
        return Err(ImageFault::Outside);
    }
    let found = fs::metadata(&path)?;
    if !found.is_file() {
        return Err(ImageFault::NoFile);
    }
    if found.len() > MAX_IMAGE {
        return Err(ImageFault::TooLarge { found: found.len() });
    }
    let mut bytes = Vec::new();
    // It may grow meanwhile.
    File::open(&path)?.take(MAX_IMAGE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A picture that a template brings along: checked like a file.
fn embedded(data: &str) -> Result<String, ImageFault> {
    let (media_type, encoded) = data.split_once(',').ok_or(ImageFault::Address)?;
    if !["image/png;base64", "image/svg+xml;base64"].contains(&media_type) {
        return Err(ImageFault::Address);
    }
    if encoded.len() as u64 > MAX_IMAGE.div_ceil(3) * 4 {
        return Err(ImageFault::TooLarge { found: encoded.len() as u64 / 4 * 3 });
    }
    data_url(&BASE64_STANDARD.decode(encoded).map_err(|_| ImageFault::Damaged)?)
}

fn data_url(bytes: &[u8]) -> Result<String, ImageFault> {
    Ok(format!("data:{};base64,{}", check_picture(bytes)?, BASE64_STANDARD.encode(bytes)))
}

/// What kind of picture it is, if it is one and nothing else.
pub(crate) fn check_picture(bytes: &[u8]) -> Result<&'static str, ImageFault> {
    if bytes.len() as u64 > MAX_IMAGE {
        return Err(ImageFault::TooLarge { found: bytes.len() as u64 });
    }
    let media_type = if bytes.starts_with(SIGNATURE) {
        check_png(bytes)?;
        "image/png"
    } else {
        let text = std::str::from_utf8(bytes).map_err(|_| ImageFault::Format)?.trim_start_matches('\u{feff}');
        if !text.trim_start().starts_with('<') {
            return Err(ImageFault::Format);
        }
        svg::check(text)?;
        "image/svg+xml"
    };
    match baked::unbake(bytes) {
        Ok(None) => Ok(media_type),
        Ok(Some(_)) => Err(ImageFault::Baked),
        Err(_) => Err(ImageFault::Damaged),
    }
}

/// As far as its frame: the size comes first, the end last, and each chunk is as long as it says.
fn check_png(bytes: &[u8]) -> Result<(), ImageFault> {
    let (kind, head, mut rest) = chunk(&bytes[SIGNATURE.len()..])?;
    let (b"IHDR", [w0, w1, w2, w3, h0, h1, h2, h3, ..]) = (kind, head) else { return Err(ImageFault::Damaged) };
    let (width, height) = (u32::from_be_bytes([*w0, *w1, *w2, *w3]), u32::from_be_bytes([*h0, *h1, *h2, *h3]));
    if width == 0 || height == 0 {
        return Err(ImageFault::Damaged);
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ImageFault::TooWide { width, height });
    }
    loop {
        let (kind, _, tail) = chunk(rest)?;
        match kind {
            b"IEND" if tail.is_empty() => return Ok(()),
            b"IEND" => return Err(ImageFault::Damaged),
            _ => rest = tail,
        }
    }
}

/// Kind and data of a chunk, and what comes after it.
type Chunk<'a> = (&'a [u8; 4], &'a [u8], &'a [u8]);

fn chunk(bytes: &[u8]) -> Result<Chunk<'_>, ImageFault> {
    let read = || {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first_chunk::<4>()?;
        let (data, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        let (_checksum, rest) = rest.split_first_chunk::<4>()?;
        Some((kind, data, rest))
    };
    read().ok_or(ImageFault::Damaged)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const DISC: &str =
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><circle r="30" fill="#2e7d32"/></svg>"##;

    fn chunk_of(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [&length[..], kind, data, &[0; 4]].concat()
    }

    fn png(width: u32, height: u32) -> Vec<u8> {
        let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
        let head = chunk_of(b"IHDR", &[&size[..], &[8, 2, 0, 0, 0]].concat());
        [SIGNATURE, &head, &chunk_of(b"IDAT", b"any"), &chunk_of(b"IEND", b"")].concat()
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("own")).unwrap();
        fs::write(folder.path().join("own/disc.svg"), DISC).unwrap();
        fs::write(folder.path().join("own/badge.png"), png(400, 400)).unwrap();
        fs::write(folder.path().join("secret.png"), png(1, 1)).unwrap();
        folder
    }

    #[test]
    fn a_file_becomes_a_part_of_the_template() {
        let folder = folder();
        let base = folder.path().join("own");
        assert!(picture("badge.png", &base).unwrap().starts_with("data:image/png;base64,iVBORw0KGgo"));
        let disc = picture("./disc.svg", &base).unwrap();
        assert_eq!(picture(&disc, &base).unwrap(), disc, "and stays it");
        let address = "https://university.example/badge.png";
        assert_eq!(picture(address, &base).unwrap(), address);
    }

    #[test]
    fn nothing_outside_of_the_folder_is_read() {
        let folder = folder();
        let base = folder.path().join("own");
        symlink("../secret.png", base.join("link.png")).unwrap();
        symlink("..", base.join("up")).unwrap();
        symlink("badge.png", base.join("alias.png")).unwrap();
        let absolute = folder.path().join("secret.png").display().to_string();
        for name in ["../secret.png", "link.png", "up/secret.png", "own/../../secret.png", &absolute, ""] {
            assert!(matches!(picture(name, &base), Err(ImageFault::Outside)), "{name}");
        }
        assert!(picture("alias.png", &base).is_ok(), "a link within the folder is the file");
        assert!(matches!(picture("nothing.png", &base), Err(ImageFault::Unreadable(_))));
        assert!(matches!(picture(".", &base), Err(ImageFault::NoFile)));
        for address in
            ["http://university.example/a.png", "file:///etc/passwd", "javascript:alert(1)", "https://", "C:\\a.png"]
        {
            assert!(matches!(picture(address, &base), Err(ImageFault::Address)), "{address}");
        }
    }

    #[test]
    fn a_picture_of_a_hundred_mebibytes_is_not_even_opened() {
        let folder = folder();
        let base = folder.path().join("own");
        // Without a single byte on the disk, and unreadable.
        let large = File::create(base.join("large.png")).unwrap();
        large.set_len(100 << 20).unwrap();
        fs::set_permissions(base.join("large.png"), std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
        assert!(matches!(picture("large.png", &base), Err(ImageFault::TooLarge { found: 104_857_600 })));
        let data = format!("data:image/png;base64,{}", "A".repeat(3 << 20));
        assert!(matches!(picture(&data, &base), Err(ImageFault::TooLarge { .. })));
    }

    #[test]
    fn only_pictures_are_pictures() {
        let folder = folder();
        let base = folder.path().join("own");
        let told = |bytes: &[u8]| {
            fs::write(base.join("any.png"), bytes).unwrap();
            picture("any.png", &base).unwrap_err()
        };
        assert!(matches!(told(b"\xff\xd8\xff\xe0 a photograph"), ImageFault::Format));
        assert!(matches!(told(b"%PDF-1.7"), ImageFault::Format));
        assert!(matches!(told(b""), ImageFault::Format));
        assert!(matches!(told(&png(400, 400)[..50]), ImageFault::Damaged));
        assert!(matches!(told(&[&png(4, 4)[..], b"more"].concat()), ImageFault::Damaged));
        assert!(matches!(told(&png(0, 4)), ImageFault::Damaged));
        assert!(matches!(told(&png(40_000, 40_000)), ImageFault::TooWide { .. }));
        assert!(matches!(told(b"<html><body>hello</body></html>"), ImageFault::Active(svg::Active::NoSvg)));
        let data = "data:image/png;base64,!!!!";
        assert!(matches!(picture(data, &base), Err(ImageFault::Damaged)));
        assert!(matches!(picture("data:text/html,<script>", &base), Err(ImageFault::Address)));
    }

    #[test]
    fn a_badge_is_no_picture_of_one() {
        let badge = DISC.replace(
            "<circle",
            r#"<o:credential xmlns:o="https://purl.imsglobal.org/ob/v3p0" verify="a.b.c"/><circle"#,
        );
        assert!(matches!(data_url(badge.as_bytes()), Err(ImageFault::Baked)), "{badge}");
    }
}
