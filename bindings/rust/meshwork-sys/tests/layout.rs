//! A C program tells sizes, offsets and values as the headers have them; they are compared with the mirror here.
use meshwork_sys::{mw_error, mw_event, VALUES};
use std::collections::BTreeMap;
use std::fs;
use std::mem::size_of;
use std::path::{Path, PathBuf};
use std::process::Command;

const INCLUDE: &str = env!("MESHWORK_INCLUDE");

/// Offset and size of each field (`offset_of!` is younger than the oldest compiler supported).
macro_rules! fields {
    ($type:ident, $value:expr, $($field:ident)*) => {{
        let it: &$type = $value;
        let start = it as *const _ as usize;
        vec![
            (format!("size {}", stringify!($type)), size_of::<$type>() as i64),
            $((format!("offset {}.{}", stringify!($type), stringify!($field)), (&it.$field as *const _ as usize - start) as i64),
              (format!("size {}.{}", stringify!($type), stringify!($field)), std::mem::size_of_val(&it.$field) as i64),)*
        ]
    }};
}

fn mirror() -> BTreeMap<String, i64> {
    let error = mw_error { code: 0, flags: 0, os: 0, text_len: 0, text: [0; 240] };
    let mut all = fields!(mw_error, &error, code flags os text_len text);
    all.extend(fields!(mw_event, &mw_event::default(), kind status token id peer flags code offset topic_len meta_len body_len msg));
    all.extend(VALUES.iter().map(|(name, value)| (name.to_string(), *value)));
    all.into_iter().collect()
}

fn headers() -> String {
    let folder = Path::new(INCLUDE).join("meshwork");
    let mut text = String::new();
    for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.unwrap().path();
        if path.extension() == Some("h".as_ref()) {
            text += &fs::read_to_string(path).unwrap();
        }
    }
    text
}

/// Words of the headers that begin with a prefix and are followed by a sign.
fn words<'a>(text: &'a str, prefix: &'a str, next: char) -> impl Iterator<Item = &'a str> + 'a {
    let mut rest = text;
    std::iter::from_fn(move || loop {
        let at = rest.find(prefix)?;
        let word = &rest[at..];
        let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
        rest = &word[end..];
        if rest.trim_start().starts_with(next) && !rest.trim_start().starts_with("==") {
            return Some(&word[..end]);
        }
    })
}

#[test]
fn the_mirror_is_what_the_headers_say() {
    let mirror = mirror();
    let text = headers();
    let mut source = String::from("#include <meshwork/meshwork.h>\n#include <stdio.h>\nint main(void) {\n");
    for line in mirror.keys() {
        let expression = match line.split_once(' ') {
            Some(("offset", field)) => {
                let (of, member) = field.split_once('.').unwrap();
                format!("offsetof({of}, {member})")
            }
            Some((_, sized)) => match sized.split_once('.') {
                Some((of, member)) => format!("sizeof((({of} *)0)->{member})"),
                None => format!("sizeof({sized})"),
            },
            None => line.clone(),
        };
        source += &format!("printf(\"{line}=%lld\\n\", (long long)({expression}));\n");
    }
    for name in words(&text, "MW_", '=') {
        source += &format!("printf(\"{name}=%lld\\n\", (long long)({name}));\n");
    }
    source += "return 0; }\n";
    assert_eq!(run(&source), mirror);
}

/// Every function of the headers is declared here, and the library has each that is declared.
#[test]
fn every_function_is_declared() {
    let declared = include_str!("../src/declarations.rs");
    let text = headers();
    let mut count = 0;
    for line in text.split("MW_API ").skip(1) {
        let Some(name) = words(line, "mw_", '(').next() else { continue };
        assert!(declared.contains(&format!("pub fn {name}(")), "{name} is not declared");
        count += 1;
    }
    assert_eq!(declared.matches("pub fn mw_").count(), count);
}

fn run(source: &str) -> BTreeMap<String, i64> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (file, program) = (folder.join("layout.c"), folder.join("layout"));
    fs::write(&file, source).unwrap();
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let compiler = cc::Build::new().target(&host).host(&host).opt_level(0).cargo_metadata(false).get_compiler();
    let made = compiler.to_command().arg("-I").arg(INCLUDE).arg(&file).arg("-o").arg(&program).status().unwrap();
    assert!(made.success(), "{} does not compile", file.display());
    let told = Command::new(&program).output().unwrap();
    let lines = String::from_utf8(told.stdout).unwrap();
    lines.lines().filter_map(|l| l.split_once('=')).map(|(k, v)| (k.to_string(), v.parse().unwrap())).collect()
}
