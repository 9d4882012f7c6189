#include "cli/verbs.h"

int main(int count, char** arguments) {
    return sheaf::cli::main({arguments, static_cast<std::size_t>(count)});
}
