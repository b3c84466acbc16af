#include "terms.h"

#include <stdio.h>
#include <string.h>

const char *kind_name(uint32_t kind) {
  switch (kind) {
    case MW_EVENT_UP: return "UP";
    case MW_EVENT_DOWN: return "DOWN";
    case MW_EVENT_CLOSED: return "CLOSED";
    case MW_EVENT_ERROR: return "ERROR";
    case MW_EVENT_LOG: return "LOG";
    case MW_EVENT_PEER_UP: return "PEER_UP";
    case MW_EVENT_PEER_DOWN: return "PEER_DOWN";
    case MW_EVENT_MESSAGE: return "MESSAGE";
    case MW_EVENT_WRITABLE: return "WRITABLE";
    case MW_EVENT_SLOW: return "SLOW";
    case MW_EVENT_DROPPED: return "DROPPED";
    case MW_EVENT_PING: return "PING";
    case MW_EVENT_PONG: return "PONG";
    case MW_EVENT_INTEREST: return "INTEREST";
    case MW_EVENT_DONE: return "DONE";
    case MW_EVENT_RELEASED: return "RELEASED";
    case MW_EVENT_PART: return "PART";
    case MW_EVENT_REQUEST: return "REQUEST";
    case MW_EVENT_CANCEL: return "CANCEL";
    case MW_EVENT_ASK: return "ASK";
    case MW_EVENT_LEADER: return "LEADER";
    case MW_EVENT_READY: return "READY";
    case MW_EVENT_MEMBER_UP: return "MEMBER_UP";
    case MW_EVENT_MEMBER_DOWN: return "MEMBER_DOWN";
    case MW_EVENT_MEMBER_CHANGED: return "MEMBER_CHANGED";
    case MW_EVENT_SERVICE_UP: return "SERVICE_UP";
    case MW_EVENT_SERVICE_DOWN: return "SERVICE_DOWN";
    case MW_EVENT_DRAINING: return "DRAINING";
    default: return "UNKNOWN";
  }
}

const char *status_word(mw_status s) { return mw_status_name(s) + 3; }

mw_status status_of(const char *word) {
  for (mw_status s = 0; s > -128; s--)
    if (strcmp(status_word(s), word) == 0) return s;
  return 1;
}

static const struct {
  uint32_t bit;
  const char *name;
} kFlags[] = {
    {MW_F_ONEWAY, "ONEWAY"},   {MW_F_PARTS, "PARTS"},       {MW_F_REPEAT, "REPEAT"},
    {MW_F_RETAINED, "RETAINED"}, {MW_F_ALL, "ALL"},
    {MW_F_TEXT, "TEXT"},       {MW_F_COMPRESS, "COMPRESS"}, {MW_F_MORE, "MORE"},
    {MW_F_CONT, "CONT"},       {MW_F_PING, "PING"},         {MW_F_NOQUEUE, "NOQUEUE"},
    {MW_F_LOCAL, "LOCAL"},     {MW_F_RESUMED, "RESUMED"},   {MW_F_FATAL, "FATAL"},
    {MW_F_REF, "REF"},         {MW_F_ASCII, "ASCII"},
    {MW_F_DUMP, "DUMP"},
};

uint32_t flags_of(const char *text) {
  uint32_t f = 0;
  for (size_t i = 0; i < sizeof kFlags / sizeof *kFlags; i++) {
    const char *p = strstr(text, kFlags[i].name);
    if (p != NULL) f |= kFlags[i].bit;
  }
  return f;
}

void flags_text(uint32_t flags, char *buf, size_t cap) {
  buf[0] = 0;
  for (size_t i = 0; i < sizeof kFlags / sizeof *kFlags; i++)
    if (flags & kFlags[i].bit) {
      size_t n = strlen(buf);
      snprintf(buf + n, cap - n, "%s%s", n ? "+" : "", kFlags[i].name);
    }
}

static const struct {
  const char *name;
  int32_t what;
} kStats[] = {
    {"BUFFERED", MW_STAT_BUFFERED},       {"LAST_BEAT", MW_STAT_LAST_BEAT},
    {"STRIKES", MW_STAT_STRIKES},         {"BEAT_INTERVAL", MW_STAT_BEAT_INTERVAL},
    {"BEAT_CUTOFF", MW_STAT_BEAT_CUTOFF}, {"RTT", MW_STAT_RTT},
    {"PEERS", MW_STAT_PEERS},             {"BYTES_IN", MW_STAT_BYTES_IN},
    {"BYTES_OUT", MW_STAT_BYTES_OUT},     {"DROPPED", MW_STAT_DROPPED},
    {"QUEUED", MW_STAT_QUEUED},           {"MESSAGES_IN", MW_STAT_MESSAGES_IN},
    {"MESSAGES_OUT", MW_STAT_MESSAGES_OUT}, {"IN_FLIGHT", MW_STAT_IN_FLIGHT},
};

int32_t stat_of(const char *name) {
  for (size_t i = 0; i < sizeof kStats / sizeof *kStats; i++)
    if (strcmp(kStats[i].name, name) == 0) return kStats[i].what;
  return 0;
}

int32_t conf_kind_of(const char *name) {
  return strcmp(name, "ctx") == 0 ? MW_CONF_CTX : strcmp(name, "consumer") == 0 ? MW_CONF_CONSUMER
         : strcmp(name, "sub") == 0 ? MW_CONF_SUB
         : strcmp(name, "hub") == 0 ? MW_CONF_HUB : strcmp(name, "channel") == 0 ? MW_CONF_CHANNEL
         : strcmp(name, "share") == 0 ? MW_CONF_SHARE : strcmp(name, "elect") == 0 ? MW_CONF_ELECT
         : strcmp(name, "node") == 0 ? MW_CONF_NODE : strcmp(name, "manager") == 0 ? MW_CONF_MANAGER
         : strcmp(name, "service") == 0 ? MW_CONF_SERVICE : strcmp(name, "call") == 0 ? MW_CONF_CALL : MW_CONF_PROVIDER;
}
