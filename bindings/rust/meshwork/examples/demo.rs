//! The Rust consumer of the demo: writes every line it gets to a file.
//!
//!   demo URL CA SECRET-FILE OUTPUT NAME LINES
use meshwork::{Consumer, Context, Event, Kind, Options};
use std::error::Error;
use std::fs::{read_to_string, File};
use std::io::{BufWriter, Write};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long a line was on its way, where it is stamped.
fn took(event: &Event<'_>) -> Option<Duration> {
    let message = event.message().filter(|_| !event.meta().is_empty())?;
    let sent = std::str::from_utf8(message.header("sent")?).ok()?.parse().ok()?;
    SystemTime::now().duration_since(UNIX_EPOCH + Duration::from_nanos(sent)).ok()
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, ca, secret, output, name, lines] = &arguments[..] else {
        return Err("usage: demo URL CA SECRET-FILE OUTPUT NAME LINES".into());
    };
    let (wanted, mut got, mut bytes, mut ups) = (lines.parse::<usize>()?, 0, 0, 0);
    let (mut times, mut out, mut begin) = (Vec::new(), BufWriter::new(File::create(output)?), Instant::now());
    let parameters = format!(r#"{{"key":"{}"}}"#, read_to_string(secret)?.trim());
    let options = Options::consumer().set("url", url).set("tls.ca_file", ca).set("parameters", parameters);

    let context = Context::open(Options::context())?;
    let consumer = Consumer::open(&context, options)?;
    let events = consumer.events()?;
    consumer.start().detach();
    for event in events.blocking() {
        match event.kind() {
            Kind::Up => {
                if ups == 0 {
                    begin = Instant::now();
                }
                ups += 1; // after every reconnect, too
                let _ = consumer.send(&format!("start {name} {got}")); // a link lost meanwhile is followed by another UP
            }
            Kind::Message if got < wanted => {
                times.extend(took(&event));
                out.write_all(event.body())?;
                out.write_all(b"\n")?;
                (got, bytes) = (got + 1, bytes + event.body().len());
                if got == wanted {
                    consumer.close(0, "")?;
                }
            }
            Kind::Closed if got < wanted => {
                eprintln!("closed: {} ({})", event.text().unwrap_or(""), event.status().name())
            }
            _ => (),
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    out.flush()?;
    context.join().expect("no handler panics");

    times.sort();
    let last = times.len().saturating_sub(1) as f64;
    let at = |part: f64| times.get((part * last) as usize).map_or(0.0, |t| t.as_secs_f64() * 1e6);
    eprintln!(
        r#"{{"messages":{got},"bytes":{bytes},"seconds":{seconds:.3},"p50_us":{:.1},"p99_us":{:.1},"reconnects":{}}}"#,
        at(0.5),
        at(0.99),
        ups - 1
    );
    std::process::exit((got != wanted).into());
}
