//! Where the files of an inventory are: on this machine, or in a bucket.
//!
//! **Invariant:** a file whose MD5 is not the manifest's is refused before a row of it is read.

use super::InventoryError;
use super::manifest::{DataFile, Manifest};
use md5::{Digest as _, Md5};
use std::fs::File;
use std::io::{Read, Seek as _};
use std::path::{Path, PathBuf};

/// Largest manifest: each of its files has some 150 bytes in it.
const LARGEST: u64 = 64 * 1024 * 1024;

/// A manifest, and where it is.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The manifest.
    pub manifest: Manifest,
    /// Where it was read: a path, or `s3://bucket/key`.
    pub place: String,
}

/// Opens files of inventories.
pub trait Fetch: Sync {
    /// A file of rows from its beginning, checked against its MD5, and its place for messages.
    ///
    /// # Errors
    /// It cannot be read, or is another than the manifest says.
    fn open(&self, opened: &Opened, file: &DataFile) -> Result<(String, File), InventoryError>;
}

/// Files of this machine.
#[derive(Debug, Clone, Copy)]
pub struct LocalFiles;

impl Fetch for LocalFiles {
    fn open(&self, opened: &Opened, file: &DataFile) -> Result<(String, File), InventoryError> {
        let (path, found) = candidates(Path::new(&opened.place), &file.key)
            .into_iter()
            .find_map(|path| File::open(&path).ok().map(|file| (path, file)))
            .ok_or_else(|| InventoryError::Missing {
                place: opened.place.clone(),
                file: file.key.clone(),
            })?;
        let place = path.display().to_string();
        let found = file.checked(&place, found)?;
        Ok((place, found))
    }
}

/// Reads a manifest of this machine, and the checksum beside it, if there is one.
///
/// # Errors
/// It cannot be read, or is damaged.
pub fn open_local(path: &str) -> Result<Opened, InventoryError> {
    let failed = |error: std::io::Error| InventoryError::File {
        place: path.to_owned(),
        why: error.to_string(),
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    let read = file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if read as u64 > LARGEST {
        let why = "it is larger than any manifest".to_owned();
        return Err(InventoryError::Manifest { place: path.to_owned(), why });
    }
    let checksum = Path::new(path).with_extension("checksum");
    let checksum = std::fs::read_to_string(checksum).ok();
    let manifest = Manifest::read(path, &bytes, checksum.as_deref())?;
    Ok(Opened { manifest, place: path.to_owned() })
}

/// Where a file may lie beside its manifest: as S3 laid it out below any directory above, or copied into
/// the same directory or one named `data`.
fn candidates(manifest: &Path, key: &str) -> Vec<PathBuf> {
    let directory = manifest.parent().unwrap_or(Path::new("."));
    let name = key.rsplit('/').next().unwrap_or(key);
    let mut found: Vec<PathBuf> = directory.ancestors().map(|above| above.join(key)).collect();
    found.push(directory.join(name));
    found.push(directory.join("data").join(name));
    if let Some(above) = directory.parent() {
        found.push(above.join("data").join(name));
    }
    found
}

impl DataFile {
    /// The file from its beginning, when its MD5 is the manifest's.
    ///
    /// # Errors
    /// It is another file, or cannot be read.
    pub fn checked(&self, place: &str, mut file: File) -> Result<File, InventoryError> {
        let failed = |error: std::io::Error| InventoryError::File {
            place: place.to_owned(),
            why: error.to_string(),
        };
        let Some(md5) = &self.md5 else { return Ok(file) };
        let (mut digest, mut block) = (Md5::new(), vec![0; 256 * 1024]);
        loop {
            match file.read(&mut block).map_err(failed)? {
                0 => break,
                read => digest.update(&block[..read]),
            }
        }
        let found = crate::base::digest::hex(&digest.finalize());
        if !md5.eq_ignore_ascii_case(&found) {
            let why = format!(
                "its MD5 is {found}, and the manifest says {md5}: it is damaged or another"
            );
            return Err(InventoryError::File { place: place.to_owned(), why });
        }
        file.rewind().map_err(failed)?;
        Ok(file)
    }
}
