/* SPDX-License-Identifier: Apache-2.0 */
#include "host/base/err.h"

const char *err_text(enum err e) {
    switch (e) {
    case OK:
        return "ok";
    case ERR_AGAIN:
        return "not now";
    case ERR_EOF:
        return "end of data";
    case ERR_NOMEM:
        return "out of memory";
    case ERR_IO:
        return "input/output error";
    case ERR_CORRUPT:
        return "corrupt data";
    case ERR_TIMEOUT:
        return "timed out";
    case ERR_CARD:
        return "card failure";
    case ERR_BUSY:
        return "busy";
    case ERR_DENIED:
        return "not allowed";
    case ERR_USAGE:
        return "wrong use";
    case ERR_MISSING:
        return "not found";
    case ERR_EXISTS:
        return "exists already";
    case ERR_FULL:
        return "no space left";
    case ERR_CANCELLED:
        return "cancelled";
    case ERR_UNSUPPORTED:
        return "not supported";
    }
    return "unknown error";
}
