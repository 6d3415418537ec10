/* A self-signed P-256 certificate for 127.0.0.1, as PEM files. */
#ifndef TESTS_WEB_CERTIFICATE_H
#define TESTS_WEB_CERTIFICATE_H

void certificate_make(const char *certificate, const char *key);

#endif
