#pragma once

// Why: the tables in OpenSSL are half a megabyte that the loader writes at every start of a program
// that has them, and the two processes of a virtual machine never speak TLS. So the host's library
// is loaded by whoever does, when it does (docs/decisions/0012-openssl.md). Its functions are
// called by their names, as its headers declare them; openssl_functions.def lists those that are.

#include "base/result.h"

namespace sheaf::io {

// Before any of its functions is called: TlsContext does. Once is enough; any thread; blocks.
// unavailable: this host has no such library, or one that lacks a function.
Result<void> load_openssl(const char* library = "libssl.so.3");

}  // namespace sheaf::io
