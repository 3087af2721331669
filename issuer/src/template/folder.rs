//! A folder of templates. Each is called by its file's name, or by the `id` that it says itself: under that one its
//! credentials are kept.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::Template;

/// How the names of templates end.
pub const ENDINGS: [&str; 2] = ["toml", "json"];

/// The file of this name; where there are two, the first by its ending. `name` does not lead out of the folder: that was
/// checked.
pub fn file(folder: &Path, name: &str) -> Option<PathBuf> {
    let files = ENDINGS.map(|ending| folder.join(format!("{name}.{ending}")));
    files.into_iter().find(|file| file.is_file())
}

/// The file of the template that says this `id`, or else of that name, which does not lead out of the folder either.
pub fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let of_name = file(folder, name);
    of_name.clone().filter(|file| is_called(file, name)).or_else(|| of_id(folder, name)).or(of_name)
}

fn of_id(folder: &Path, id: &str) -> Option<PathBuf> {
    let files = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let ends = |file: &PathBuf| file.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known));
    let mut templates: Vec<_> = files.filter(ends).collect();
    templates.sort();
    templates.into_iter().find(|file| is_called(file, id))
}

fn is_called(file: &Path, id: &str) -> bool {
    Template::read(file).is_ok_and(|template| template.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_found_by_its_id_and_by_its_files_name() {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, id: &str| {
            let text = format!("{id}\nname = \"N\"\ndescription = \"D\"\ncriteria = \"C\"\n");
            fs::write(folder.path().join(file), text).unwrap();
        };
        write("botany.toml", "id = \"field-botany\"");
        write("swapped.toml", "id = \"other\"");
        write("plain.toml", "");
        fs::write(folder.path().join("broken.toml"), "id = \"swapped\"").unwrap();
        let found = |name: &str| find(folder.path(), name).map(|file| file.file_name().unwrap().to_owned());
        for (name, file) in [
            ("botany", "botany.toml"),
            ("field-botany", "botany.toml"),
            ("other", "swapped.toml"),
            ("plain", "plain.toml"),
            ("broken", "broken.toml"),
        ] {
            assert_eq!(found(name).unwrap(), file, "{name}");
        }
        assert_eq!(found("nothing"), None);
        // Another one says that it is called so.
        write("other.toml", "id = \"botany\"");
        assert_eq!(found("botany").unwrap(), "other.toml");
        assert_eq!(found("other").unwrap(), "swapped.toml");
    }
}
