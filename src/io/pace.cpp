#include "io/pace.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <cerrno>

namespace sheaf::io {

Result<Pace> pace_of(int fd) {
    struct statfs about{};
    if (::fstatfs(fd, &about) < 0) return fail_os(errno, "asking for the file system");
    switch (about.f_type) {
        case TMPFS_MAGIC:
        case RAMFS_MAGIC:
        case HUGETLBFS_MAGIC: return Pace::at_once;
        default: return Pace::may_wait;
    }
}

}  // namespace sheaf::io
