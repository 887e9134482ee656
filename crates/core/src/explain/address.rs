//! RB02xx.
super::explanations! {}
