//! RB01xx: the file as such. Syntax, types, missing and unknown keys.

super::explanations! {
    SYNTAX = Error "RB0101" {
        title: "the file is not valid TOML",
        why: "The text breaks off or is malformed at the place shown, so nothing after it can be trusted. \
              Only the first syntax error is shown: the ones after it mostly follow from it.",
        cure: "Correct the place shown and check again. Text stands in double quotes, lists in square brackets, \
               each key once in its section.",
        wrong: r#"[cluster]
name = tb4
"#,
        right: r#"[cluster]
name = "tb4"
"#,
    }
    WRONG_TYPE = Error "RB0102" {
        title: "a value has the wrong type",
        why: "The key takes another type of value: text in quotes, a whole number without quotes, \
              true or false, or a list in square brackets.",
        cure: "Write the value as the help line shows.",
        wrong: r#"[fabric]
prefix = "10.100.0.0/24"
mtu = "9000"
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"
mtu = 9000
"#,
    }
    MISSING_KEY = Error "RB0103" {
        title: "a required key is missing",
        why: "The section needs this key and there is no default that could be right.",
        cure: "Add the key below the section's header.",
        wrong: r#"[[node]]
name = "n2"
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"
"#,
    }
    UNKNOWN_KEY = Error "RB0104" {
        title: "a key is not known in this section",
        why: "A misspelt key would otherwise be ignored in silence, and the default used in its place. \
              The key may also belong to another section.",
        cure: "Correct the name, move the key, or remove it. `ringbolt explain` lists all keys.",
        wrong: r#"[fabric]
prefix = "10.100.0.0/24"
helo_interval = 1
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"
hello_interval = 1
"#,
    }
    UNKNOWN_SECTION = Error "RB0105" {
        title: "a section is not known",
        why: "The sections are [cluster], [ssh], [fabric], [[node]] and [[link]]; everything else would be \
              ignored in silence.",
        cure: "Correct the name or remove the section.",
        wrong: r#"[fabrik]
prefix = "10.100.0.0/24"
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"
"#,
    }
    SECTION_FORM = Error "RB0106" {
        title: "a section has the wrong kind of header",
        why: "Sections that occur once have single brackets, sections that may occur again have double ones. \
              With [node] a second node would be a syntax error.",
        cure: "Write the header as the help line shows.",
        wrong: r#"[node]
name = "n2"
address = "10.11.12.12"
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"
"#,
    }
    UNKNOWN_CHOICE = Error "RB0107" {
        title: "a value is not one of the choices",
        why: "The key takes one of a few words.",
        cure: "Use one of the words in the help line.",
        wrong: r#"[fabric]
prefix = "10.100.0.0/24"
transport = "usb4"
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"
transport = "thunderbolt"
"#,
    }
    SECRET = Error "RB0108" {
        title: "a secret stands in the spec",
        why: "The spec is kept in version control, shown in reports and copied to run folders, so it must not \
              hold passwords, tokens or private keys. ringbolt needs none of them in a file: \
              it reaches nodes through ssh keys.",
        cure: "Remove the key, and change the secret if the file has been shared. \
               `ringbolt ssh setup` puts your ssh key on the nodes; ssh itself asks for the password, once.",
        wrong: r#"[ssh]
password = "hunter2"
"#,
        right: r#"[ssh]
identity = "~/.ssh/id_ed25519"
"#,
    }
    MISSING_SECTION = Error "RB0109" {
        title: "a required section is missing",
        why: "A spec needs at least [cluster], [fabric] and two [[node]] sections.",
        cure: "Add the section shown in the help line.",
        wrong: r#"[[node]]
name = "n2"
address = "10.11.12.12"
"#,
        right: r#"[cluster]
name = "tb4"

[fabric]
prefix = "10.100.0.0/24"

[[node]]
name = "n2"
address = "10.11.12.12"
"#,
    }
    OUT_OF_RANGE = Error "RB0110" {
        title: "a number is out of its range",
        why: "The key takes a whole number between the two bounds shown.",
        cure: "Use a number in the range.",
        wrong: r#"[ssh]
port = 70000
"#,
        right: r#"[ssh]
port = 22
"#,
    }
    EMPTY = Error "RB0111" {
        title: "a value is empty",
        why: "The key is there but says nothing, so it is not clear whether the default is wanted.",
        cure: "Give a value, or remove the key to get its default.",
        wrong: r#"[ssh]
user = ""
"#,
        right: r#"[ssh]
user = "root"
"#,
    }
}
