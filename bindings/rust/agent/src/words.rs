//! One line of the protocol: words, key=value, %XX escapes.
use meshwork::{Code, Flags, Options, Result};

pub struct Words {
    pub verb: String,
    pub name: String,
    args: Vec<(String, Vec<u8>)>,
}

impl Words {
    pub fn cut(line: &[u8]) -> Option<Words> {
        let mut w = Words { verb: String::new(), name: String::new(), args: Vec::new() };
        for (i, word) in line.split(|b| *b == b' ').filter(|w| !w.is_empty()).enumerate() {
            match word.iter().position(|b| *b == b'=') {
                _ if i == 0 => w.verb = String::from_utf8_lossy(word).into(),
                None => w.name = String::from_utf8_lossy(word).into(),
                Some(at) => w.args.push((String::from_utf8_lossy(&word[..at]).into(), value(&word[at + 1..])?)),
            }
        }
        Some(w)
    }

    pub fn bytes(&self, key: &str) -> Option<&[u8]> {
        self.args.iter().find(|(k, _)| k == key).map(|(_, v)| &v[..])
    }

    pub fn text(&self, key: &str) -> String {
        String::from_utf8_lossy(self.bytes(key).unwrap_or_default()).into()
    }

    pub fn number(&self, key: &str, absent: u64) -> u64 {
        self.bytes(key).map_or(absent, |_| self.text(key).parse().unwrap_or(0))
    }

    /// Every argument that is none of the verb's own is an option.
    pub fn options(&self, mut options: Options, own: &[&str]) -> Options {
        for (key, value) in self.args.iter().filter(|(k, _)| !own.contains(&k.as_str())) {
            options = options.set(key, String::from_utf8_lossy(value));
        }
        options
    }

    /// Arguments "meta.KEY".
    pub fn meta(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.args.iter().filter_map(|(k, v)| k.strip_prefix("meta.").map(|k| (k, &v[..])))
    }
}

fn value(word: &[u8]) -> Option<Vec<u8>> {
    if let Some(n) = word.strip_prefix(b"@") {
        let n: usize = std::str::from_utf8(n).ok()?.parse().ok()?;
        return Some((0..n).map(|i| b'a' + (i % 26) as u8).collect());
    }
    let (mut out, mut rest) = (Vec::with_capacity(word.len()), word);
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first == b'%' {
            out.push(u8::from_str_radix(std::str::from_utf8(tail.get(..2)?).ok()?, 16).ok()?);
            rest = &tail[2..];
        } else {
            out.push(*first);
        }
    }
    Some(out)
}

/// Bytes as one word; more than `limit` as @LENGTH:FNV1A.
pub fn show(bytes: &[u8], limit: usize) -> String {
    if bytes.len() > limit {
        let hash = bytes.iter().fold(2166136261u32, |h, b| (h ^ u32::from(*b)).wrapping_mul(16777619));
        return format!("@{}:{hash:08x}", bytes.len());
    }
    let mut out = String::with_capacity(bytes.len());
    for (i, b) in bytes.iter().enumerate() {
        if b.is_ascii_graphic() && *b != b'%' && !(i == 0 && *b == b'@') {
            out.push(*b as char);
        } else {
            out += &format!("%{b:02X}");
        }
    }
    out
}

const FLAGS: [(Flags, &str); 10] = [
    (Flags::TEXT, "TEXT"),
    (Flags::COMPRESS, "COMPRESS"),
    (Flags::MORE, "MORE"),
    (Flags::CONT, "CONT"),
    (Flags::PING, "PING"),
    (Flags::NOQUEUE, "NOQUEUE"),
    (Flags::LOCAL, "LOCAL"),
    (Flags::RESUMED, "RESUMED"),
    (Flags::FATAL, "FATAL"),
    (Flags::ASCII, "ASCII"),
];

pub fn flags(text: &str) -> Flags {
    FLAGS.iter().filter(|(_, name)| text.split('+').any(|t| t == *name)).fold(Flags::NONE, |all, (f, _)| all | *f)
}

pub fn flags_text(flags: Flags) -> String {
    let names: Vec<_> = FLAGS.iter().filter(|(f, _)| flags.contains(*f)).map(|(_, name)| *name).collect();
    names.join("+")
}

/// "EAGAIN"
pub fn status(code: Code) -> &'static str {
    &code.name()[3..]
}

/// "OK", or "EOPTION error=..."
pub fn answer<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => "OK".into(),
        Err(e) => format!("{} error={}", status(e.code()), show(e.to_string().as_bytes(), usize::MAX)),
    }
}
