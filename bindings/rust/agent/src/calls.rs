//! The verbs of calls: serve, call, reply, fail.
use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

/// The flags as the events of C have them; a kept message does not tell whether it is ASCII.
fn seen(flags: Flags, body: &[u8]) -> String {
    let text = format!("{flags:?}").replace('|', "+");
    let more = flags.contains(Flags::TEXT) && body.is_ascii() && !text.contains("ASCII");
    text + if more { "+ASCII" } else { "" }
}

const OPTIONS: [&str; 6] = ["credit", "version", "only", "exclude", "sticky", "retry.safe"];

fn shown(body: &[u8]) -> String {
    if body.len() <= 512 {
        return show(body);
    }
    let hash = body.iter().fold(2166136261u32, |h, b| (h ^ u32::from(*b)).wrapping_mul(16777619));
    format!("@{}:{hash:08x}", body.len())
}

pub fn carry_out(w: &Words, names: &mut Names) -> Result<String> {
    let id = names.get(&w.name).map_or(0, Thing::id);
    let headers: Vec<_> = w.args.iter().filter_map(|(k, v)| Some((k.strip_prefix("meta.")?, &v[..]))).collect();
    let kept = w.flags() & (Flags::TEXT | Flags::COMPRESS | Flags::PARTS);
    let message = || Message::copy(w.bytes("body"), kept, &headers);
    match (w.verb.as_str(), names.get(&w.name)) {
        (_, None) if w.name != "#0" => return Ok("ECLOSED".into()),
        ("serve", thing) => {
            let (alias, options) = (w.text("as"), w.options(Options::service(), &["name", "as"]));
            let (name, told) = (String::from_utf8(w.bytes("name").to_vec()), alias.clone());
            let Ok(name) = name else { return Ok("EINVAL".into()) }; // a str is always good UTF-8
            let hear = move |event: Event<'_>| tell(&told, &event);
            let service = match thing {
                Some(Thing::Provider(p)) => p.serve(&name, options, hear)?,
                Some(Thing::Consumer(c)) => c.serve(&name, options, hear)?,
                Some(Thing::Node(n)) => n.serve(&name, options, hear)?,
                _ => return Ok("EKIND".into()),
            };
            names.insert(alias, Thing::Number(service.id()));
        }
        ("call", _) => {
            let object = w.name.split('.').next().unwrap_or_default().to_string();
            let (op, peer) = (w.text("op"), if object == w.name { String::new() } else { w.name.clone() });
            let told = move |kind: &str, status: &str, code: usize, flags: String, meta: &[u8], body: &[u8]| {
                let fields = [("id", op.clone()), ("status", status.into()), ("code", code.to_string())];
                let rest = [("peer", peer.clone()), ("flags", flags), ("meta", show(meta))];
                let body = if body.is_empty() { String::new() } else { format!(" body={}", shown(body)) }; // "0", too
                if !op.is_empty() {
                    println!("! {object} {kind}{}{}{body}", facts(&fields), facts(&rest));
                }
            };
            let (told, count) = (Arc::new(told), Arc::new(AtomicUsize::new(0)));
            let (one, counted) = (told.clone(), count.clone());
            let part = move |event: Event<'_>| {
                // The code of a DONE: parts, or of a call to all members how many failed.
                let of_all = event.message().is_some_and(|m| m.header("member").is_some());
                let status = event.status();
                counted.fetch_add(usize::from(!of_all || status != Code::OK), Ordering::Relaxed);
                one("PART", &status.name()[3..], 0, seen(event.flags(), event.body()), event.meta(), event.body());
            };
            let own: Vec<_> = w.args.iter().map(|(key, _)| &key[..]).filter(|key| !OPTIONS.contains(key)).collect();
            let options = w.options(Options::call(), &own);
            let ms = w.text("ms").parse::<i64>().unwrap_or(0);
            let how = How {
                timeout: (ms != 0).then(|| u64::try_from(ms).map_or(Duration::MAX, Duration::from_millis)),
                parent: names.get(&w.text("parent")).map(|parent| Request::from_id(parent.id())),
                flags: w.flags(),
                options: Some(options),
                part: Some(Box::new(part)),
            };
            let mut call = match names.get(&w.name) {
                Some(Thing::Share(share)) => share.call(&w.text("target"), &message()?, how),
                Some(Thing::Node(node)) => node.call(&w.text("target"), &message()?, how),
                _ => Connection::from_id(id).call(&w.text("target"), &message()?, how),
            };
            call.on_done(move |end| match end {
                Ok(m) => told("DONE", "", count.load(Ordering::Relaxed), seen(m.flags(), m.body()), m.meta(), m.body()),
                Err(e) => {
                    let (body, parts) = (e.to_string(), count.load(Ordering::Relaxed));
                    told("DONE", &e.name()[3..], parts, seen(Flags::TEXT, body.as_bytes()), b"", body.as_bytes());
                }
            })?;
            names.insert(format!("{} {}", w.name, w.text("op")), Thing::Operation(Box::new(move || call.cancel())));
        }
        ("cancel", _) => (), // of a call that is none: nothing to be told
        ("reply", _) => {
            let sent = Request::from_id(id).reply_with(&message()?, w.flags() & (Flags::MORE | Flags::PARTS))?;
            return Ok(if sent == Sent::Buffered { "BUFFERED" } else { "OK" }.into());
        }
        ("fail", _) => {
            let code = match w.text("code").as_str() {
                "EDENIED" => Code::EDENIED,
                "EAGAIN" => Code::EAGAIN,
                "" => Code::EREMOTE,
                other => return Ok(format!("UNSAID error={other}")),
            };
            let (request, json) = (Request::from_id(id), w.text("json"));
            if w.text("retry").is_empty() { request.fail(code, &json) } else { request.give_back(code, &json) }?;
        }
        _ => return Ok("UNSAID".into()),
    }
    Ok("OK".into())
}
