//! RB04xx.
super::explanations! {}
