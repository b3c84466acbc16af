//! Calls between two nodes to compare, run by tests/bench/mesh_languages.py:
//!
//! ```sh
//! calls meshwork|tonic serve                         # prints "port N"
//! calls meshwork|tonic call PORT IN_FLIGHT SECONDS   # so many calls at once: {"rate":...,"cpu_us":...}
//! ```
//!
//! Both over TCP of loopback without TLS, one connection, the same bytes back. Each caller is a task of a tokio runtime
//! of one thread that awaits its answer.
mod node;
mod rpc;

use std::cell::Cell;
use std::error::Error;
use std::future::Future;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What calling.js calls with, too.
const BODY: &str = r#"{"id":123456,"host":"alpha","text":"disk nearly full"}"#;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Who calls once and waits for the answer; each caller has its clone.
trait Caller: Clone + 'static {
    fn call(&mut self) -> impl Future<Output = Result<()>>;
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::task::LocalSet::new().run_until(async {
        match words[..] {
            ["meshwork", "serve"] => node::serve().await,
            ["tonic", "serve"] => rpc::serve().await,
            ["meshwork", "call", port, n, seconds] => measure(node::dial(port.parse()?).await?, n, seconds).await,
            ["tonic", "call", port, n, seconds] => measure(rpc::dial(port.parse()?).await?, n, seconds).await,
            _ => Err("usage: calls meshwork|tonic serve | call PORT IN_FLIGHT SECONDS".into()),
        }
    }))
}

async fn measure(mut caller: impl Caller, in_flight: &str, seconds: &str) -> Result<()> {
    let span = Duration::from_secs_f64(seconds.parse()?);
    let answered = Rc::new(Cell::new(0u64));
    caller.call().await?;
    for _ in 0..in_flight.parse()? {
        let (mut caller, answered) = (caller.clone(), answered.clone());
        tokio::task::spawn_local(async move {
            loop {
                caller.call().await.unwrap_or_else(|error| panic!("{error}"));
                answered.set(answered.get() + 1);
            }
        });
    }
    tokio::time::sleep(span / 5).await;
    let (before, wall, cpu) = (answered.get(), Instant::now(), used());
    tokio::time::sleep(span).await;
    let n = (answered.get() - before) as f64;
    let rate = n / wall.elapsed().as_secs_f64();
    println!(r#"{{"rate":{rate:.0},"cpu_us":{:.3}}}"#, (used() - cpu) / n * 1e6);
    std::process::exit(0) // as it stands: the callers never end
}

/// CPU of the process, in seconds.
fn used() -> f64 {
    let mut at = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it only writes into `at`.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut at) };
    at.tv_sec as f64 + at.tv_nsec as f64 / 1e9
}
