// The smallest probe: one line, then power off.
#include "support/console.h"
#include "support/machine.h"

int probe::run(Machine&) {
    print("sheaf-probe hello\n");
    return 0;
}
