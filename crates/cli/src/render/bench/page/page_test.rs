//! The page of real runs.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

/// A run as it was kept, of a lab.
fn kept() -> Run {
    serde_json::from_str(include_str!("samples/ceph.json")).unwrap()
}

#[test]
fn one_page_without_anything_from_outside() {
    let text = page("tb4 <x>", &[kept()]);
    assert!(text.starts_with("<!DOCTYPE html>") && text.ends_with("</html>\n"));
    for outside in ["src=", "href", "@import", "url(", "<script", "http:", "https:"] {
        assert!(!text.contains(outside), "{outside}");
    }
    assert!(text.contains("Benchmarks of tb4 &lt;x&gt;") && !text.contains("<x>"));
    assert!(text.contains("Ceph: pool vm") && text.contains("proves nothing about disks"));
    assert!(text.contains("<svg") && text.contains("prefers-color-scheme: dark"));
    assert!(text.contains("not comparable") && !text.contains("From run to run"));
}

#[test]
fn every_element_is_closed() {
    let text = page("tb4", &[kept()]);
    for name in
        ["table", "tr", "td", "th", "svg", "section", "div", "p", "title", "text", "h2", "h3", "span", "b"]
    {
        let opened = text.matches(&format!("<{name}>")).count() + text.matches(&format!("<{name} ")).count();
        assert_eq!(opened, text.matches(&format!("</{name}>")).count(), "{name}");
    }
}

#[test]
fn runs_of_one_shape_make_lines_and_only_the_latest_is_shown_in_full() {
    let mut later = kept();
    later.id = "20991121-000000-zzzz".into();
    later.began = "2099-11-21T00:00:00Z".into();
    let mut other = kept();
    if let What::Ceph { setup, .. } = &mut other.what {
        setup.pool = "fast".into();
    }
    other.began = "2020-01-01T00:00:00Z".into();
    let text = page("tb4", &[other, kept(), later]);
    assert_eq!(text.matches("<h2>Ceph: pool vm</h2>").count(), 1);
    assert_eq!(text.matches("<h2>Ceph: pool fast</h2>").count(), 1);
    assert_eq!(text.matches("From run to run").count(), 1);
    assert!(text.contains("rados write over 2 runs") && text.contains("Not on equal terms"));
}
