#include "io/openssl.h"

#include <dlfcn.h>

#include <cstddef>
#include <mutex>

// Without OpenSSL's headers: what has its names here are jumps to where it was loaded.
namespace {

enum Number : std::size_t {
#define SHEAF_OPENSSL(name) number_of_##name,
#include "io/openssl_functions.def"
#undef SHEAF_OPENSSL
    count
};

// One after another, each ended by a zero: a table of pointers would be work for the loader.
constexpr char names[] =
#define SHEAF_OPENSSL(name) #name "\0"
#include "io/openssl_functions.def"
#undef SHEAF_OPENSSL
    ;

// An array of the language: where an element is, is a constant under sanitizers as well.
struct Addresses {
    void* all[count];
};
constinit Addresses addresses{};

}  // namespace

// Nothing but the jump, whatever the build adds to functions.
#define SHEAF_OPENSSL(name)                                                                     \
    extern "C" [[gnu::naked, gnu::visibility("hidden"), clang::no_sanitize("all", "coverage")]] \
    void name() {                                                                               \
        asm("jmp *%c0(%%rip)" ::"i"(&addresses.all[number_of_##name]));                         \
    }
#include "io/openssl_functions.def"
#undef SHEAF_OPENSSL

namespace sheaf::io {

namespace {

Result<Addresses> find_functions(const char* library) {
    // Never unloaded: it has handlers for the end of the process.
    void* opened = ::dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!opened)
        return fail(Kind::unavailable, "TLS needs OpenSSL 3 (package libssl3): {}", ::dlerror());
    Addresses found{};
    const char* name = names;
    for (void*& address : found.all) {
        address = ::dlsym(opened, name);
        if (!address) return fail(Kind::unavailable, "{}: has no {}", library, name);
        name += std::string_view{name}.size() + 1;
    }
    return found;
}

}  // namespace

Result<void> load_openssl(const char* library) {
    static constinit std::mutex mutex;
    const std::lock_guard lock{mutex};
    if (addresses.all[0] == nullptr) addresses = TRY(find_functions(library));
    return {};
}

}  // namespace sheaf::io
