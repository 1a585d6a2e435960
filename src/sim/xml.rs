//! Writes XML answers.
//!
//! **Invariant:** every element that is opened is closed, and all text is escaped.

use quick_xml::escape::escape;

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
        self.text.push('<');
        self.text.push_str(name);
        if !namespace.is_empty() {
            self.text.push_str(" xmlns=\"");
            self.text.push_str(&escape(namespace));
            self.text.push('"');
        }
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
        self.text.push_str(&escape(text));
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
}

#[cfg(test)]
mod tests {
    use super::Xml;

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
