//! What was found, in the repository: a page and a picture for each group under `results`, and the short form in
//! BENCHMARKS.md, between the marks that are there for it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::measure::Result;
use crate::plot;
use crate::rows::Group;
use crate::table::{self, output};

/// A folder of the results of one day on one machine.
pub struct Results {
    folder: PathBuf,
    conditions: String,
}

impl Results {
    /// Under `parent`.
    pub fn new(parent: &Path, conditions: String) -> Result<Self> {
        let model = table::cpu_model().to_lowercase();
        let words = model.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let machine = words.collect::<Vec<_>>().join("-");
        let folder = parent.join(format!("{}-{machine}", output("date", &["-u", "+%F"])));
        fs::create_dir_all(&folder)?;
        Ok(Self { folder, conditions })
    }

    /// Writes one group.
    pub fn save(&self, group: &Group) -> Result<()> {
        let page = format!("# Benchmark\n\n{}{}", self.conditions, table::full(group));
        fs::write(self.folder.join(group.name).with_extension("md"), page)?;
        fs::write(self.folder.join(group.name).with_extension("svg"), plot::svg(group)?)?;
        self.refer(group)
    }

    fn refer(&self, group: &Group) -> Result<()> {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
        let (page, folder) = (top.join("BENCHMARKS.md"), self.folder.canonicalize()?);
        // What is saved elsewhere is nothing to refer to.
        let Ok(path) = folder.strip_prefix(&top) else { return Ok(()) };
        let path = path.join(group.name);
        let (begin, end) = (format!("<!-- {} -->\n", group.name), format!("<!-- /{} -->", group.name));
        let text = fs::read_to_string(&page).unwrap_or_default();
        let Some((before, rest)) = text.split_once(&begin) else { return Ok(()) };
        let (_, after) = rest.split_once(&end).ok_or_else(|| format!("BENCHMARKS.md lacks {end}"))?;
        let links = format!("![{}]({}.svg)\n\n", group.title, path.display());
        let more = format!("\n[All figures]({}.md).\n", path.display());
        fs::write(&page, [before, &begin, &links, &table::short(group), &more, &end, after].concat())?;
        Ok(())
    }
}
