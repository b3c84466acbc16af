// Why TLS failed, as a sentence that says what to do.
// Used by net's tls. Pure; any thread.
#pragma once
#include <string>

typedef struct ssl_st SSL;

namespace mw::net {

// The host name or address that a client's session checks; "" on a server.
std::string checked_name(SSL* ssl);

// code: of OpenSSL's error queue; verify: X509_V_*; host: the name that was
// checked, "" on a server.
std::string tls_failure_text(unsigned long code, long verify, bool server, const std::string& host);

}  // namespace mw::net
