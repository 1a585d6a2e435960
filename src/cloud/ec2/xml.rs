//! XML of EC2's answers as a tree.
//!
//! **Invariant:** what is not well-formed is nothing, never a part of it.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

/// Deepest nesting that is read; EC2's answers have eight levels.
const DEEPEST: usize = 64;

/// An element: its name without prefix, its text, its elements.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// The first element of that name in it.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first element of that name in it, if it has one.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }

    /// The items of the list of that name in it.
    pub(crate) fn items(&self, name: &str) -> impl Iterator<Item = &Self> {
        let list = self.child(name).map(|list| list.children.as_slice()).unwrap_or_default();
        list.iter().filter(|item| item.name == "item")
    }
}

fn begin(start: &BytesStart<'_>) -> Element {
    Element { name: start.local_name().as_ref().to_owned(), ..Element::default() }
}

/// The root of a document; `None` when it is not well-formed.
pub(crate) fn parse(document: &[u8]) -> Option<Element> {
    let mut reader = Reader::from_str(std::str::from_utf8(document).ok()?);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) if open.len() < DEEPEST => open.push(begin(&start)),
            Event::Start(_) => return None,
            Event::Empty(empty) => close(&mut open, &mut root, begin(&empty))?,
            Event::Text(piece) => append(&mut open, &piece)?,
            Event::CData(piece) => append(&mut open, &piece)?,
            Event::GeneralRef(entity) => match entity.resolve_char_ref().ok()? {
                Some(character) => open.last_mut()?.text.push(character),
                None => {
                    let text = resolve_predefined_entity(&entity)?;
                    open.last_mut()?.text.push_str(text);
                }
            },
            Event::End(_) => {
                let ended = open.pop()?;
                close(&mut open, &mut root, ended)?;
            }
            Event::Eof => return root.filter(|_| open.is_empty()),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_) => {}
        }
    }
}

/// Puts an element where it belongs; a second root is none.
fn close(open: &mut [Element], root: &mut Option<Element>, ended: Element) -> Option<()> {
    match open.last_mut() {
        Some(parent) => parent.children.push(ended),
        None if root.is_none() => *root = Some(ended),
        None => return None,
    }
    Some(())
}

/// Text of the open element; outside of the root only blanks are allowed.
fn append(open: &mut [Element], piece: &str) -> Option<()> {
    match open.last_mut() {
        Some(element) => element.text.push_str(piece),
        None if piece.trim().is_empty() => {}
        None => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_document_is_a_tree_or_nothing() {
        let document = br#"<?xml version="1.0"?>
            <R xmlns="urn:x"><list><item><a>1 &amp; 2&#33;</a></item><item/></list><b> x </b></R>"#;
        let root = parse(document).expect("well-formed");
        assert_eq!((root.name.as_str(), root.text("b"), root.text("c")), ("R", Some("x"), None));
        let items: Vec<_> = root.items("list").map(|item| item.text("a")).collect();
        assert_eq!(items, [Some("1 & 2!"), None]);
        assert_eq!(root.items("nothing").count(), 0);
        let deep = "<a>".repeat(100);
        for bad in
            ["", "x", "<a>", "<a></b>", "<a/><b/>", "<a>&nobody;</a>", "</a>", "<a/>x", &deep]
        {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(parse(&[0xff, 0xfe]), None);
    }
}
