//! Many sends in one call.
use crate::message::sealed::Parts;
use crate::{ffi, Connection, Context, Error, Flags, Payload, Result, Sent};

/// Sends that go out by one crossing of the border. Reusable: a send empties it and keeps its memory.
///
/// ```no_run
/// # fn f(context: &meshwork::Context, peers: &[meshwork::Connection]) -> meshwork::Result<()> {
/// let mut batch = meshwork::Batch::new();
/// for peer in peers {
///     batch.push(*peer, "tick", meshwork::Flags::NONE);
/// }
/// let refused = batch.send(context)?.iter().filter(|sent| sent.is_err()).count();
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct Batch {
    records: Vec<ffi::Head>,
    bytes: Vec<u8>,
}

impl Batch {
    /// An empty one.
    pub fn new() -> Batch {
        Batch::default()
    }

    /// Adds a send to a peer, or from a consumer by its `id()`. Copies the bytes.
    pub fn push(&mut self, to: Connection, body: impl Payload, flags: Flags) {
        let (body, own) = match body.parts() {
            Parts::Bytes(bytes, own) => (bytes, own),
            Parts::Message(m) => (m.body(), m.flags().bits()),
        };
        self.records.push(ffi::Head {
            peer: to.id(),
            flags: own | flags.bits(),
            offset: self.bytes.len() as u32,
            body_len: body.len() as u32,
            ..ffi::Head::default()
        });
        self.bytes.extend_from_slice(body);
    }

    /// Sends all of it; each send has its own answer. At most 4 GiB at once.
    pub fn send(&mut self, context: &Context) -> Result<Vec<Result<Sent>>> {
        if self.bytes.len() > u32::MAX as usize {
            return Err(Error::new(ffi::MW_ETOOBIG).detail(0, "A batch has at most 4 GiB: send it in parts."));
        }
        ffi::send_records(context.id(), &mut self.records, &self.bytes)?;
        let sent = |r: &ffi::Head| if r.status < 0 { Err(Error::new(r.status)) } else { Ok(Sent::of(r.status)) };
        let answers = self.records.iter().map(sent).collect();
        self.records.clear();
        self.bytes.clear();
        Ok(answers)
    }
}
