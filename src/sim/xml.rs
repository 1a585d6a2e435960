//! Writes XML answers, and reads the little XML that requests carry.
//!
//! **Invariant:** every element that is opened is closed, and all text is escaped.

use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::Event;

/// An XML document under construction.
#[derive(Debug, Default)]
pub(in crate::sim) struct Xml {
    text: String,
}

impl Xml {
    /// `<name>…</name>` around what `inside` writes.
    pub(in crate::sim) fn element(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.element_in(name, "", inside);
    }

    /// The same with an XML namespace.
    pub(in crate::sim) fn element_in(
        &mut self,
        name: &str,
        namespace: &str,
        inside: impl FnOnce(&mut Self),
    ) {
        self.open(name);
        if !namespace.is_empty() {
            self.text.push_str(" xmlns=\"");
            self.text.push_str(&escape(namespace));
            self.text.push('"');
        }
        self.close(name, inside);
    }

    /// The same whose type is told, as XML Schema tells it.
    pub(in crate::sim) fn element_of_type(
        &mut self,
        name: &str,
        kind: &str,
        inside: impl FnOnce(&mut Self),
    ) {
        self.open(name);
        self.text.push_str(" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"");
        self.text.push_str(&escape(kind));
        self.text.push('"');
        self.close(name, inside);
    }

    fn open(&mut self, name: &str) {
        self.text.push('<');
        self.text.push_str(name);
    }

    fn close(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.text.push('>');
        inside(self);
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }

    /// `<name>value</name>`.
    pub(in crate::sim) fn leaf(&mut self, name: &str, value: impl ToString) {
        let value = value.to_string();
        self.element(name, |xml| xml.text(&value));
    }

    /// Text inside the open element.
    pub(in crate::sim) fn text(&mut self, text: &str) {
        let escaped = escape(text);
        // A reader takes a carriage return for a line feed, and other control characters for no XML at all.
        let odd = |c: char| c.is_control() && c != '\n' && c != '\t';
        if !escaped.contains(odd) {
            self.text.push_str(&escaped);
            return;
        }
        for c in escaped.chars() {
            if odd(c) {
                self.text.push_str(&format!("&#x{:X};", u32::from(c)));
            } else {
                self.text.push(c);
            }
        }
    }

    /// `<name>value</name>`, or nothing.
    pub(in crate::sim) fn optional(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.leaf(name, value);
        }
    }

    /// `<list><item>a</item><item>b</item></list>`.
    pub(in crate::sim) fn leaves<T: ToString>(
        &mut self,
        list: &str,
        item: &str,
        values: impl IntoIterator<Item = T>,
    ) {
        self.element(list, |xml| {
            for value in values {
                xml.leaf(item, value);
            }
        });
    }

    /// Adds all of another document.
    pub(in crate::sim) fn append(&mut self, other: Self) {
        self.text.push_str(&other.text);
    }

    /// The document.
    pub(in crate::sim) fn finish(self) -> String {
        self.text
    }

    /// The same after an XML declaration.
    pub(in crate::sim) fn document(self) -> String {
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", self.text)
    }
}

/// The texts of a document's innermost elements, each with its path: `Delete/Object/Key`. `None` when
/// it is not well-formed.
pub(in crate::sim) fn texts_of(document: &[u8]) -> Option<Vec<(String, String)>> {
    let mut reader = Reader::from_str(std::str::from_utf8(document).ok()?);
    let (mut path, mut texts) = (Vec::<String>::new(), Vec::new());
    let mut text = String::new();
    // Whether the open element has had no child.
    let mut innermost = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                path.push(start.local_name().as_ref().to_owned());
                (innermost, text) = (true, String::new());
            }
            Event::Empty(empty) => {
                let name = empty.local_name().as_ref().to_owned();
                texts.push((format!("{}/{name}", path.join("/")), String::new()));
                innermost = false;
            }
            Event::Text(piece) => text.push_str(&piece),
            Event::CData(piece) => text.push_str(&piece),
            Event::GeneralRef(entity) => match entity.resolve_char_ref().ok()? {
                Some(character) => text.push(character),
                None => text.push_str(resolve_predefined_entity(&entity)?),
            },
            Event::End(_) => {
                if innermost {
                    texts.push((path.join("/"), std::mem::take(&mut text)));
                }
                path.pop()?;
                innermost = false;
            }
            Event::Eof => return path.is_empty().then_some(texts),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_) => {}
        }
    }
}

/// Deepest nesting of a document that is read as a tree.
const DEEPEST: usize = 32;

/// An element of a document that was sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::sim) struct Element {
    /// Without its namespace.
    pub(in crate::sim) name: String,
    /// Its own text.
    pub(in crate::sim) text: String,
    pub(in crate::sim) children: Vec<Self>,
}

impl Element {
    /// The first child of that name.
    pub(in crate::sim) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Text of the first child of that name.
    pub(in crate::sim) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }
}

/// A document's root. `None` when it is not well-formed, or nests too deep.
pub(in crate::sim) fn tree(document: &[u8]) -> Option<Element> {
    let mut reader = Reader::from_str(std::str::from_utf8(document).ok()?);
    // What is open, above it a root of ours.
    let mut open = vec![Element::default()];
    let named = |name: &str| Element { name: name.to_owned(), ..Element::default() };
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) if open.len() <= DEEPEST => {
                open.push(named(start.local_name().as_ref()));
            }
            Event::Start(_) => return None,
            Event::Empty(empty) => {
                open.last_mut()?.children.push(named(empty.local_name().as_ref()));
            }
            Event::Text(piece) => open.last_mut()?.text.push_str(&piece),
            Event::CData(piece) => open.last_mut()?.text.push_str(&piece),
            Event::GeneralRef(entity) => match entity.resolve_char_ref().ok()? {
                Some(character) => open.last_mut()?.text.push(character),
                None => open.last_mut()?.text.push_str(resolve_predefined_entity(&entity)?),
            },
            Event::End(_) => {
                let closed = open.pop()?;
                open.last_mut()?.children.push(closed);
            }
            Event::Eof => {
                let whole = open.len() == 1;
                let mut roots = open.pop()?.children;
                return roots.pop().filter(|_| whole && roots.is_empty());
            }
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Element, Xml, texts_of, tree};

    #[test]
    fn trees_have_one_root_and_an_end() {
        let root = tree(
            b"<?xml version=\"1.0\"?><A xmlns=\"urn:x\"><B>x&amp;y</B><B/><C><D>1</D></C></A>",
        );
        let root = root.expect("well-formed");
        assert_eq!((root.name.as_str(), root.children.len()), ("A", 3));
        assert_eq!(root.text_of("B"), Some("x&y"));
        assert_eq!(root.child("C").and_then(|c| c.text_of("D")), Some("1"));
        for bad in ["", "<A>", "<A/><B/>", "</A>", "<A></B>", "text", "<A>&nobody;</A>"] {
            assert_eq!(tree(bad.as_bytes()), None, "{bad}");
        }
        let deep = format!("{}{}", "<A>".repeat(100_000), "</A>".repeat(100_000));
        assert_eq!(tree(deep.as_bytes()), None);
        assert_eq!(tree(&[0xff]), None::<Element>);
    }

    #[test]
    fn texts_have_paths() {
        let document = br#"<?xml version="1.0"?><D xmlns="urn:x"><O><K>a&amp;b&#33;</K></O>
            <O><K><![CDATA[<c>]]></K><E/></O><Q>true</Q></D>"#;
        let texts = texts_of(document).expect("well-formed");
        let wanted = [("D/O/K", "a&b!"), ("D/O/K", "<c>"), ("D/O/E", ""), ("D/Q", "true")];
        let wanted = wanted.map(|(path, text)| (path.to_owned(), text.to_owned()));
        assert_eq!(texts, wanted);
        for bad in ["<D>", "<D></E>", "<D>&nobody;</D>", "</D>"] {
            assert_eq!(texts_of(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(texts_of(&[0xff]), None);
    }

    #[test]
    fn nests_and_escapes() {
        let mut xml = Xml::default();
        xml.element_in("A", "urn:x", |xml| {
            xml.leaf("B", "a < b & \"c\"");
            xml.optional("C", None::<&str>);
            xml.leaves("Ds", "D", [1, 2]);
        });
        assert_eq!(
            xml.finish(),
            "<A xmlns=\"urn:x\"><B>a &lt; b &amp; &quot;c&quot;</B><Ds><D>1</D><D>2</D></Ds></A>"
        );
    }
}
