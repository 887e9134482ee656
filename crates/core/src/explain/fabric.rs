//! RB03xx.
super::explanations! {}
