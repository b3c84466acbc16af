// permessage-deflate offered, accepted and confirmed (RFC 7692 section 5 and
// 7.1). Used by upgrade. Pure; any thread.
// What a preset asks for is explained in PROTOCOL.md, "Compression".
#pragma once
#include "base/result.hpp"
#include "wire/dialect.hpp"
#include "wire/field.hpp"

#include <optional>
#include <string>
#include <vector>

namespace mw::wire {

// Server: takes the first offer it can meet; answer is the value of
// Sec-WebSocket-Extensions. Nothing: none fits (or preset off), no extension.
std::optional<Deflate> accept_deflate(const std::vector<Extension>& offers, Compress preset,
                                      std::string& answer);

// Client: the value to send, "" with preset off.
std::string offer_deflate(Compress preset);
// Client: what the server's answer ("" = none) agrees to; MW_EPROTO where it
// names what was not offered.
base::Result<Deflate> confirm_deflate(Compress preset, std::string_view answer);

}  // namespace mw::wire
