/* meshwork: messaging between processes and machines. This header includes
 * the whole C API. */
#ifndef MESHWORK_H
#define MESHWORK_H

#include <meshwork/base.h>
#include <meshwork/conf.h>
#include <meshwork/msg.h>
#include <meshwork/ctx.h>
#include <meshwork/handle.h>
#include <meshwork/link.h>
#include <meshwork/mesh.h>
#include <meshwork/channel.h>
#include <meshwork/share.h>

#endif
