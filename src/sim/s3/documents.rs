//! XML documents that requests bring: read, kept and given back.
//!
//! **Invariant:** what is given back has the elements and texts that came, in S3's namespace.

use crate::sim::answer::{ApiError, Body};
use crate::sim::s3::refusals::malformed_xml;
use crate::sim::s3::wire::Request;
use crate::sim::s3::{NAMESPACE, document};
use crate::sim::xml::{Element, Xml, tree};

/// The document that a request brings, whose root must have this name.
pub(super) fn of_request(request: &Request, root: &str) -> Result<Element, ApiError> {
    tree(&request.body).filter(|found| found.name == root).ok_or_else(malformed_xml)
}

/// As it is kept.
pub(super) fn kept(root: &Element) -> String {
    let mut xml = Xml::default();
    write(root, &mut xml);
    xml.finish()
}

/// Reads what was kept.
pub(super) fn read(kept: &str) -> Element {
    tree(kept.as_bytes()).unwrap_or_default()
}

/// Answers with what was kept.
pub(super) fn answer(kept: &str) -> Body {
    let root = read(kept);
    let mut xml = Xml::default();
    xml.element_in(&root.name, NAMESPACE, |xml| inside(&root, xml));
    document(xml)
}

/// Writes an element.
pub(super) fn write(element: &Element, xml: &mut Xml) {
    xml.element(&element.name, |xml| inside(element, xml));
}

fn inside(element: &Element, xml: &mut Xml) {
    if element.children.is_empty() {
        xml.text(&element.text);
    }
    element.children.iter().for_each(|child| write(child, xml));
}

/// Text at the end of a path of names.
pub(super) fn text_at<'a>(element: &'a Element, path: &[&str]) -> Option<&'a str> {
    let (last, way) = path.split_last()?;
    let parent = way.iter().try_fold(element, |at, name| at.child(name))?;
    parent.text_of(last).map(str::trim)
}

/// The children of that name.
pub(super) fn all<'a>(
    element: &'a Element,
    name: &'a str,
) -> impl Iterator<Item = &'a Element> + 'a {
    element.children.iter().filter(move |child| child.name == name)
}
