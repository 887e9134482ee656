//! `/etc/frr/frr.conf.local`: which of its lines reach the generated file.
//!
//! Used by [`super::frr`]. The rules are those of the merge since the
//! generated file comes from templates: `router …` and `interface …` become
//! blocks of their own; a block must end with `exit`; lines of any other
//! top-level block (such as `bfd`) are dropped without a word.

use ringbolt_core::arrange::Arrange;

/// The lines to print ahead of the fabric blocks.
#[must_use]
pub fn blocks(text: &str) -> Vec<String> {
    let mut merge = Merge::default();
    for line in text.lines().map(str::trim_end).filter(|l| !l.is_empty()) {
        merge.line(line);
    }
    merge.finish()
}

#[derive(Default)]
struct Merge {
    out: Vec<String>,
    maps: Vec<(String, Vec<String>)>,
    /// Where lines go: nowhere, `out`, or the named route map.
    target: Target,
    new_block: bool,
}

#[derive(Default, Clone)]
enum Target {
    #[default]
    Dropped,
    Out,
    Map(usize),
}

impl Merge {
    fn line(&mut self, line: &str) {
        if ["router ", "vrf ", "interface "].iter().any(|k| line.starts_with(k)) {
            self.out.push(line.to_owned());
            self.target = Target::Out;
            self.new_block = true;
        } else if line.starts_with("route-map ") && line.split_whitespace().count() >= 4 {
            self.route_map(line);
        } else if list_line(line) {
            self.out.push(line.to_owned());
        } else if line.starts_with("exit") {
            if self.new_block {
                self.push(line);
                self.push("!");
            }
            self.target = Target::Dropped;
            self.new_block = false;
        } else if !line.contains('!') {
            self.push(line);
        }
    }

    fn route_map(&mut self, line: &str) {
        let name = line.split_whitespace().nth(1).unwrap_or_default();
        let index = self.maps.iter().position(|(n, _)| n == name).unwrap_or_else(|| {
            self.maps.push((name.to_owned(), Vec::new()));
            self.maps.len() - 1
        });
        self.target = Target::Map(index);
        self.new_block = true;
        self.push(line);
    }

    fn push(&mut self, line: &str) {
        match self.target {
            Target::Dropped => {}
            Target::Out => self.out.push(line.to_owned()),
            Target::Map(index) => self.maps[index].1.push(line.to_owned()),
        }
    }

    /// Route maps come last, sorted by name and numbered anew from 1.
    fn finish(mut self) -> Vec<String> {
        self.maps.arrange_by(|a, b| a.0.cmp(&b.0));
        for (name, lines) in self.maps {
            let mut sequence = 1;
            for line in lines {
                let words: Vec<&str> = line.split_whitespace().collect();
                if line.starts_with("route-map ") && words.len() >= 4 {
                    self.out.push(format!("route-map {name} {} {sequence}", words[2]));
                    sequence += 1;
                } else {
                    self.out.push(line);
                }
            }
        }
        self.out
    }
}

fn list_line(line: &str) -> bool {
    line.starts_with("bgp community-list ")
        || (["access-list ", "ip prefix-list ", "ipv6 prefix-list "].iter().any(|k| line.starts_with(k))
            && line.contains(" seq "))
}
