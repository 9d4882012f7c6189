#include "control/local_pool.h"

#include <sys/stat.h>
#include <unistd.h>

#include "control/kernel_file.h"
#include "io/apart.h"
#include "storage/disk_file.h"
#include "storage/image/download.h"
#include "storage/image/import.h"
#include "storage/image/sha256.h"
#include "storage/pool/summary.h"
#include "storage/pool/volume_client.h"

namespace sheaf::control {

namespace {

using pool::Pool;
using pool::Shelf;

constexpr auto verb = "daemon";  // in whose name locks are taken

class NoSink final : public pool::ProgressSink {
  public:
    void progressed(const pool::ControlProgress&) override {}
};

bool is_there(const std::string& path) {
    return ::access((path + "/pool.json").c_str(), F_OK) == 0;
}

io::Task<std::optional<DiskFacts>> find_here(io::Loop& loop, std::string path, Shelf shelf,
                                             std::string name) {
    if (!is_there(path)) co_return std::nullopt;
    const auto pool = co_await Pool::open(path);
    auto summary = co_await pool::summarize(loop, *pool, shelf, std::move(name)).result();
    if (!summary && summary.error().kind() == Kind::not_found) co_return std::nullopt;
    const auto found = co_await std::move(summary);
    DiskFacts facts{found.size, found.used, found.sha256.value_or(""), found.problem};
    co_return facts;
}

io::Task<void> create_here(io::Loop& loop, std::string path, NewDisk wanted) {
    const auto pool = co_await Pool::open_or_make(path);
    pool::NewVolume shape{.name = wanted.name, .size = wanted.size};
    if (wanted.from) {
        co_await pool::create_clone(loop, *pool, std::move(shape), *std::move(wanted.from));
    } else {
        co_await pool::create_volume(loop, *pool, std::move(shape));
    }
}

io::Task<void> remove_here(std::string path, Shelf shelf, std::string name) {
    if (!is_there(path)) co_return;
    const auto pool = co_await Pool::open(path);
    auto held = pool->hold(shelf, name, verb);
    if (!held && held.error().kind() == Kind::not_found) co_return;
    const auto holding = co_await std::move(held);
    co_await pool->remove(holding, shelf);
}

io::Task<void> run_here(io::Loop& loop, std::string path, std::string volume,
                        pool::ControlRequest request) {
    const auto pool = co_await Pool::open(path);
    NoSink sink;
    pool::Errand errand{std::move(volume), verb, std::move(request)};
    static_cast<void>(co_await pool::run_errand(loop, *pool, std::move(errand), sink));
}

pool::ControlRequest request_for(pool::ControlVerb what, std::string name) {
    pool::ControlRequest request;
    request.request = what;
    request.name = std::move(name);
    return request;
}

// Opens what the URL names: the file itself, or one without a name that it was fetched into.
io::Task<Fd> open_source(io::Loop& loop, const Pool& pool, std::string url,
                         ImportProgress& progress) {
    constexpr std::string_view file = "file://";
    if (url.starts_with(file)) co_return co_await storage::open_buffered(url.substr(file.size()));
    const auto fetched = [&progress](std::uint64_t bytes) { progress.set({"fetching", bytes, 0}); };
    co_return co_await image::download(loop, std::move(url), pool, fetched);
}

struct Place {
    std::string pool;
    std::string kernels;
};

io::Task<void> import_here(io::Loop& loop, Place place, NewImage wanted, ImportProgress& progress) {
    if (wanted.sha256) wanted.sha256 = co_await image::parse_sha256(*wanted.sha256);
    const auto pool = co_await Pool::open_or_make(place.pool);
    auto file = co_await open_source(loop, *pool, wanted.url, progress);
    if (wanted.type == ImageType::kernel) {
        KernelImport kernel{std::move(place.kernels), wanted.name, wanted.url, wanted.sha256};
        co_return co_await import_kernel(loop, *pool, std::move(file), std::move(kernel));
    }
    const auto show = [&progress](image::Stage stage, std::uint64_t done, std::uint64_t total) {
        progress.set({stage == image::Stage::checking ? "checking" : "copying", done, total});
    };
    image::Import import{wanted.name, wanted.url, wanted.sha256};
    co_await image::import_image(loop, *pool, std::move(file), std::move(import), show);
}

io::Task<std::optional<DiskFacts>> find_kernel_here(io::Loop& loop, std::string path) {
    co_return co_await find_kernel(loop, std::move(path));
}

io::Task<void> remove_kernel_here(std::string path) {
    co_await remove_kernel(path);
}

template <class T>
using Work = std::move_only_function<io::Task<T>(io::Loop&)>;

}  // namespace

io::Task<std::optional<DiskFacts>> LocalPool::find_volume(std::string name) {
    Work<std::optional<DiskFacts>> work = [path = pool_path(),
                                           name = std::move(name)](io::Loop& own) {
        return find_here(own, path, Shelf::volumes, name);
    };
    return io::run_apart(loop_, std::move(work));
}

io::Task<std::optional<DiskFacts>> LocalPool::find_image(std::string name, ImageType type) {
    Work<std::optional<DiskFacts>> work;
    if (type == ImageType::kernel) {
        work = [path = kernel_path(name)](io::Loop& own) { return find_kernel_here(own, path); };
    } else {
        work = [path = pool_path(), name = std::move(name)](io::Loop& own) {
            return find_here(own, path, Shelf::images, name);
        };
    }
    return io::run_apart(loop_, std::move(work));
}

io::Task<void> LocalPool::create(NewDisk wanted) {
    Work<void> work = [path = pool_path(), wanted = std::move(wanted)](io::Loop& own) {
        return create_here(own, path, wanted);
    };
    return io::run_apart(loop_, std::move(work));
}

io::Task<void> LocalPool::grow(std::string volume, std::uint64_t size) {
    pool::ControlRequest request;
    request.request = pool::ControlVerb::resize;
    request.size = size;
    Work<void> work = [path = pool_path(), volume = std::move(volume), request](io::Loop& own) {
        return run_here(own, path, volume, request);
    };
    return io::run_apart(loop_, std::move(work));
}

io::Task<void> LocalPool::remove_volume(std::string name) {
    Work<void> work = [path = pool_path(), name = std::move(name)](io::Loop&) {
        return remove_here(path, Shelf::volumes, name);
    };
    return io::run_apart(loop_, std::move(work));
}

io::Task<void> LocalPool::remove_image(std::string name, ImageType type) {
    Work<void> work;
    if (type == ImageType::kernel) {
        work = [path = kernel_path(name)](io::Loop&) { return remove_kernel_here(path); };
    } else {
        work = [path = pool_path(), name = std::move(name)](io::Loop&) {
            return remove_here(path, Shelf::images, name);
        };
    }
    return io::run_apart(loop_, std::move(work));
}

io::Task<void> LocalPool::take_snapshot(std::string volume, std::string name) {
    auto request = request_for(pool::ControlVerb::snapshot_create, std::move(name));
    Work<void> work = [path = pool_path(), volume = std::move(volume),
                       request = std::move(request)](io::Loop& own) {
        return run_here(own, path, volume, request);
    };
    auto taken = co_await io::run_apart(loop_, std::move(work)).result();
    if (!taken && taken.error().kind() != Kind::exists) co_await std::move(taken);
}

io::Task<void> LocalPool::remove_snapshot(std::string volume, std::string name) {
    auto request = request_for(pool::ControlVerb::snapshot_delete, std::move(name));
    Work<void> work = [path = pool_path(), volume = std::move(volume),
                       request = std::move(request)](io::Loop& own) {
        return run_here(own, path, volume, request);
    };
    auto removed = co_await io::run_apart(loop_, std::move(work)).result();
    if (!removed && removed.error().kind() != Kind::not_found) co_await std::move(removed);
}

io::Task<void> LocalPool::import(NewImage wanted, ImportProgress& progress) {
    Work<void> work = [place = Place{pool_path(), state_directory_ + "/kernels"},
                       wanted = std::move(wanted), &progress](io::Loop& own) {
        return import_here(own, place, wanted, progress);
    };
    return io::run_apart(loop_, std::move(work));
}

}  // namespace sheaf::control
