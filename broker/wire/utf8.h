/* UTF-8 as MQTT wants it (5.0, section 1.5.4): well-formed, no surrogates, no
 * U+0000. Control characters and non-characters are let through, as the
 * specification leaves that to the receiver. */
#ifndef WIRE_UTF8_H
#define WIRE_UTF8_H

#include "broker/base/slice.h"

bool utf8_valid(struct slice text);

#endif
