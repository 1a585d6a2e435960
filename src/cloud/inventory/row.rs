//! A row of an inventory, and the bytes that it is kept in while it waits for its other half.
//!
//! **Invariant:** what was written is read back the same; a row without a key or a size is an error.

use crate::cloud::listing::Tag;
use std::io::{self, Read, Write};

/// An object as an inventory tells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// When it was written, milliseconds since 1970.
    pub modified_ms: i64,
    /// Its ETag.
    pub tag: Tag,
    /// What S3 says of its replication.
    pub status: Status,
    /// Encrypted with KMS or a customer's key.
    pub opaque: bool,
    /// In a class that has to be restored before it can be read.
    pub archived: bool,
}

/// A replication status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// S3 says nothing.
    Unsaid,
    /// It waits.
    Pending,
    /// It is done.
    Completed,
    /// It was given up.
    Failed,
    /// It is a replica.
    Replica,
}

impl Status {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Unsaid, ""),
        (Self::Pending, "PENDING"),
        (Self::Completed, "COMPLETED"),
        (Self::Failed, "FAILED"),
        (Self::Replica, "REPLICA"),
    ];

    /// From S3's word.
    pub(super) fn read(word: &[u8]) -> Self {
        let known = Self::ALL.iter().find(|(_, known)| known.as_bytes() == word);
        known.map_or(Self::Unsaid, |(status, _)| *status)
    }

    /// S3's word.
    pub(crate) fn word(self) -> Option<String> {
        let known = Self::ALL.iter().find(|(status, _)| *status == self);
        known.map(|(_, word)| (*word).to_owned()).filter(|word| !word.is_empty())
    }
}

impl Row {
    /// Writes it.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let length = u16::try_from(self.key.len()).map_err(io::Error::other)?;
        let status = Status::ALL.iter().position(|(status, _)| *status == self.status);
        let flags = status.unwrap_or_default() as u8
            | u8::from(self.opaque) << 4
            | u8::from(self.archived) << 5;
        let mut head = [0; 2 + 8 + 8 + 21 + 1];
        head[..2].copy_from_slice(&length.to_le_bytes());
        head[2..10].copy_from_slice(&self.size.to_le_bytes());
        head[10..18].copy_from_slice(&self.modified_ms.to_le_bytes());
        head[18..39].copy_from_slice(&self.tag.to_bytes());
        head[39] = flags;
        out.write_all(&head)?;
        out.write_all(self.key.as_bytes())
    }

    /// Reads the next one; `None` at the end.
    pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut head = [0; 40];
        match from.read(&mut head[..1])? {
            0 => return Ok(None),
            _ => from.read_exact(&mut head[1..])?,
        }
        let eight = |at: usize| head[at..at + 8].try_into().expect("eight bytes");
        let mut key = vec![0; usize::from(u16::from_le_bytes([head[0], head[1]]))];
        from.read_exact(&mut key)?;
        let flags = head[39];
        Ok(Some(Self {
            key: String::from_utf8(key).map_err(io::Error::other)?,
            size: u64::from_le_bytes(eight(2)),
            modified_ms: i64::from_le_bytes(eight(10)),
            tag: Tag::from_bytes(head[18..39].try_into().expect("21 bytes")),
            status: Status::ALL.get(usize::from(flags & 15)).map_or(Status::Unsaid, |(s, _)| *s),
            opaque: flags & 16 != 0,
            archived: flags & 32 != 0,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_were() {
        let etags =
            ["9b2cf535f27731c974343645a3985328", "9b2cf535f27731c974343645a3985328-7", "x", ""];
        let mut rows = Vec::new();
        for (at, etag) in etags.iter().enumerate() {
            rows.push(Row {
                key: format!("ä\n{at}").repeat(at + 1),
                size: u64::MAX - at as u64,
                modified_ms: -5,
                tag: Tag::read(etag.as_bytes()),
                status: Status::ALL[at].0,
                opaque: at % 2 == 0,
                archived: at % 3 == 0,
            });
        }
        let mut bytes = Vec::new();
        rows.iter().for_each(|row| row.write(&mut bytes).expect("room"));
        let mut from = bytes.as_slice();
        let mut read = Vec::new();
        while let Some(row) = Row::read(&mut from).expect("readable") {
            read.push(row);
        }
        assert_eq!(read, rows);
        assert!(Row::read(&mut &bytes[..bytes.len() - 1]).is_ok());
        assert!(Row::read(&mut &bytes[..30]).is_err(), "cut off");
    }
}
