//! One line of the protocol: words, key=value, %XX escapes.
use meshwork::{Flags, Options};

pub struct Words {
    pub verb: String,
    pub name: String,
    args: Vec<(String, Vec<u8>)>,
}

impl Words {
    pub fn cut(line: &str) -> Words {
        let mut w = Words { verb: String::new(), name: String::new(), args: Vec::new() };
        for (i, word) in line.split_whitespace().enumerate() {
            match word.split_once('=') {
                _ if i == 0 => w.verb = word.into(),
                None => w.name = word.into(),
                Some((key, text)) => w.args.push((key.into(), value(text))),
            }
        }
        w
    }

    pub fn bytes(&self, key: &str) -> &[u8] {
        self.args.iter().find(|(k, _)| k == key).map_or(&[], |(_, v)| v)
    }

    pub fn text(&self, key: &str) -> String {
        String::from_utf8_lossy(self.bytes(key)).into()
    }

    pub fn number(&self, key: &str, absent: u64) -> u64 {
        self.text(key).parse().unwrap_or(absent)
    }

    pub fn flags(&self) -> Flags {
        self.text("flags").split('+').filter_map(Flags::named).fold(Flags::NONE, |all, flag| all | flag)
    }

    /// Every argument that is none of the verb's own is an option.
    pub fn options(&self, options: Options, own: &[&str]) -> Options {
        let given = self.args.iter().filter(|(key, _)| !own.contains(&key.as_str()));
        given.fold(options, |all, (key, value)| all.set(key, String::from_utf8_lossy(value)))
    }

    /// Arguments "meta.KEY".
    pub fn headers(&self) -> Vec<(&str, &[u8])> {
        self.args.iter().filter_map(|(k, v)| k.strip_prefix("meta.").map(|k| (k, &v[..]))).collect()
    }
}

fn value(word: &str) -> Vec<u8> {
    if let Some(n) = word.strip_prefix('@') {
        return (b'a'..=b'z').cycle().take(n.parse().unwrap_or(0)).collect();
    }
    let mut parts = word.split('%');
    let mut out = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        out.push(part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).unwrap_or(b'?'));
        out.extend(part.bytes().skip(2));
    }
    out
}

/// Bytes as one word.
pub fn show(bytes: &[u8]) -> String {
    let one = |b: &u8| if b.is_ascii_alphanumeric() { char::from(*b).to_string() } else { format!("%{b:02X}") };
    bytes.iter().map(one).collect()
}
