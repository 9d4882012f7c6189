#include "io/misuse.h"

#include <cstdio>
#include <cstdlib>

namespace sheaf::io {

void misuse(const char* rule) {
    std::fprintf(stderr, "sheaf: internal fault: %s\n", rule);
    std::abort();
}

}  // namespace sheaf::io
