#include "net/tls_text.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace mw::net {

namespace {

std::string verify_text(long verify, bool server, const std::string& host) {
  std::string whose = server ? "the client's certificate" : "the certificate of " + host;
  switch (verify) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return whose + " is for another name; connect by that name or set tls.server_name to it";
    case X509_V_ERR_CERT_HAS_EXPIRED: return whose + " has expired; it must be renewed";
    case X509_V_ERR_CERT_NOT_YET_VALID: return whose + " is not valid yet; check the clocks of both sides";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
      return whose + " is not trusted: " + ::X509_verify_cert_error_string(verify) +
             "; set tls.ca_file to the authority that issued it";
    case X509_V_ERR_INVALID_PURPOSE: return whose + " may not be used for this side of TLS; issue one that may";
    default: return whose + " is refused: " + ::X509_verify_cert_error_string(verify);
  }
}

}  // namespace

std::string checked_name(SSL* ssl) {
  if (::SSL_is_server(ssl)) return {};
  X509_VERIFY_PARAM* param = ::SSL_get0_param(ssl);
  if (const char* name = ::X509_VERIFY_PARAM_get0_host(param, 0)) return name;
  char* ip = ::X509_VERIFY_PARAM_get1_ip_asc(param);
  std::string text = ip != nullptr ? ip : "";
  ::OPENSSL_free(ip);
  return text;
}

std::string tls_failure_text(unsigned long code, long verify, bool server, const std::string& host) {
  int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
  switch (reason) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED: return verify_text(verify, server, host);
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return "the client showed no certificate, which tls.verify=mutual asks for";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST: return "the other side does not speak TLS; is it a port for ws://?";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION: return "the two sides share no TLS version; see tls.min_version";
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE: return "the two sides share no cipher or kind of key";
    case SSL_R_NO_APPLICATION_PROTOCOL:
    case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
      return "the two sides share no application protocol; see tls.alpn";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return "the other side asks for a certificate; set tls.cert_file and tls.key_file";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN: return "the other side does not trust our certificate";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED: return "the other side says that our certificate has expired";
    case SSL_R_TOO_MANY_KEY_UPDATES: return "the other side changed keys too often without sending data";
    default: break;
  }
  if (code == 0) return "TLS failed";
  const char* text = ::ERR_reason_error_string(code);
  return "TLS failed: " + (text != nullptr ? std::string(text) : "error " + std::to_string(code));
}

}  // namespace mw::net
