/* What the protocol of the agents calls the constants of the API.
 * Used by the C and the C++ agent. Any thread. */
#ifndef SCENARIO_TERMS_H
#define SCENARIO_TERMS_H

#include <meshwork/meshwork.h>

#ifdef __cplusplus
extern "C" {
#endif

const char *kind_name(uint32_t kind);
const char *status_word(mw_status s);  /* "EAGAIN" */
mw_status status_of(const char *word); /* of "EAGAIN"; 1 = no such status */
uint32_t flags_of(const char *text);   /* of "TEXT+MORE" */
void flags_text(uint32_t flags, char *buf, size_t cap);
int32_t stat_of(const char *name);     /* 0 = no such number */
int32_t conf_kind_of(const char *name); /* a provider's where it is none of the others */

#ifdef __cplusplus
}
#endif
#endif
