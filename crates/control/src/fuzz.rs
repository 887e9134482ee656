//! A door to the readers of what ssh and its tools say, for the fuzz targets; not in the program.

use crate::setup;
use crate::transport::{Ended, classify, classify_noise};

/// What ssh printed when it ended, what a login shell printed before the first frame, and what `ssh-add -L` printed.
pub fn ssh(text: &str) {
    for status in [Some(255), Some(126), Some(127), Some(1), None] {
        let _ = classify(&Ended { status, said: text.to_owned() }).to_string();
    }
    let _ = classify_noise(text.to_owned());
    setup::read_key(text);
}
