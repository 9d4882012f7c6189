#include "storage/pool/pool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "storage/pool/layers.h"
#include "storage/pool/name.h"

namespace sheaf::pool {

namespace {

constexpr auto parts = std::to_array<std::string_view>({"volumes", "images", "layers"});

// A directory that has nothing but what a maker of pools leaves there before it has finished.
Result<bool> may_become_pool(const Directory& root) {
    constexpr auto made_first =
        std::to_array<std::string_view>({"volumes", "images", "layers", ".pool.json.new"});
    return std::ranges::all_of(TRY(root.names()), [&](const std::string& name) {
        return std::ranges::find(made_first, name) != made_first.end();
    });
}

// Of the default path its parent may be new too.
Result<void> make_name_stable(const std::string& path) {
    const auto parent = TRY_WITHIN(Directory::open(path + "/.."), "pool");
    TRY_WITHIN(parent.sync(), "pool");
    if (path != default_pool) return {};
    return TRY_WITHIN(Directory::open(path + "/../.."), "pool").sync();
}

// pool.json comes last: a directory without it is not a pool yet.
Result<void> make_pool(const std::string& path) {
    std::error_code failure;
    if (path == default_pool)
        std::filesystem::create_directories(std::filesystem::path{path}.parent_path(), failure);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        return fail_os(errno, "pool {}: making it", path);
    const auto root = TRY_WITHIN(Directory::open(path), "pool");
    if (TRY(root.has("pool.json"))) return {};
    if (!TRY(may_become_pool(root)))
        return fail(Kind::invalid, "pool {}: there are files in this directory, and no pool.json",
                    path);
    for (const auto part : parts)
        if (!TRY(root.has(part))) TRY(root.make_below(part));
    TRY(write_about(root, PoolAbout{}));
    TRY(root.sync());
    return make_name_stable(path);
}

bool same_directory(const Directory& opened, const Directory& shelf, std::string_view name) {
    struct stat first{};
    struct stat second{};
    return ::fstat(opened.descriptor().get(), &first) == 0 &&
           ::fstatat(shelf.descriptor().get(), std::string{name}.c_str(), &second,
                     AT_SYMLINK_NOFOLLOW) == 0 &&
           first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

// A file that a volume's directory may have.
bool is_ours(std::string_view name) {
    constexpr auto ours = std::to_array<std::string_view>(
        {"about.json", ".about.json.new", "journal.0", "journal.1", "intent", "lock", "control"});
    return std::ranges::find(ours, name) != ours.end() || id_behind("layer.", name);
}

Result<void> check_part(const Directory& directory, Shelf which, std::string_view name, Part part) {
    const auto copy = is_copy(directory);
    const auto about = read_volume_about(directory);
    if (copy && part == Part::whole)
        return fail(Kind::conflict,
                    "{} {}: is the copy {}of a replicated volume, which is used with --kv",
                    noun_of(which), name,
                    about && about->node ? fmt::format("of node {} ", *about->node) : "");
    if (!copy && part == Part::copy)
        return fail(Kind::invalid, "{} {}: is no copy of a replicated volume", noun_of(which),
                    name);
    return {};
}

std::string temporary_name(std::string_view prefix, const Id& id) {
    return std::string{prefix} + to_text(id);
}

}  // namespace

std::string_view to_string(Shelf shelf) {
    return shelf == Shelf::volumes ? "volumes" : "images";
}

std::string_view noun_of(Shelf shelf) {
    return shelf == Shelf::volumes ? "volume" : "image";
}

Result<std::unique_ptr<Pool>> Pool::open(const std::string& path) {
    if (path.empty()) return fail(Kind::invalid, "the path of the pool is empty");
    auto root = TRY_WITHIN(Directory::open(path), "pool");
    auto about = read_pool_about(root);
    if (!about && about.error().kind() == Kind::not_found)
        return fail(Kind::invalid, "pool {}: is not a pool: it has no pool.json", path);
    if (!about) return Failure{std::move(about).error().within("pool")};
    auto volumes = TRY_WITHIN(root.open_below("volumes"), "pool");
    auto images = TRY_WITHIN(root.open_below("images"), "pool");
    auto layers = TRY_WITHIN(root.open_below("layers"), "pool");
    return std::unique_ptr<Pool>{new Pool{std::move(root), *about, std::move(volumes),
                                          std::move(images), std::move(layers)}};
}

Result<std::unique_ptr<Pool>> Pool::open_or_make(const std::string& path) {
    if (path.empty()) return fail(Kind::invalid, "the path of the pool is empty");
    std::error_code failure;
    const auto about = std::filesystem::path{path} / "pool.json";
    if (!std::filesystem::exists(about, failure)) TRY(make_pool(path));
    return open(path);
}

volume::Options Pool::options() const {
    volume::Options options;
    // Without one the engine promises less (docs/formats/volume.md, "Log page").
    options.boot = boot_id().value_or(Id{});
    options.growth.keep_free = space().keep_free;
    return options;
}

// Where a file system does not say how large it is there is no share of it.
Pool::Space Pool::space() const {
    struct statvfs status{};
    if (::fstatvfs(layers_.descriptor().get(), &status) != 0) return {};
    return {.free = status.f_bavail * status.f_frsize,
            .keep_free = status.f_blocks * status.f_frsize / 100 * about_.hard_stop_percent};
}

Result<void> Pool::check_room(std::uint64_t bytes) const {
    const auto now = space();
    if (now.free >= now.keep_free && now.free - now.keep_free >= bytes) return {};
    return fail(Kind::exhausted, "there is no room for it in the pool");
}

Result<std::vector<std::string>> Pool::names(Shelf which) const {
    std::vector<std::string> found;
    for (auto& name : TRY(shelf(which).names())) {
        if (!check_name(noun_of(which), name)) continue;
        if (shelf(which).open_below(name)) found.push_back(std::move(name));
    }
    return found;
}

Result<Directory> Pool::find(Shelf which, std::string_view name) const {
    TRY(check_name(noun_of(which), name));
    auto directory = shelf(which).open_below(name);
    if (!directory && directory.error().kind() == Kind::not_found)
        return fail(Kind::not_found, "{} {}: does not exist in pool {}", noun_of(which), name,
                    path());
    if (!directory) return Failure{std::move(directory).error().within(noun_of(which))};
    return directory;
}

// Between finding it and having its lock it may have been removed.
Result<std::optional<Holding>> Pool::try_hold(Shelf which, std::string_view name,
                                              std::string_view verb, Part part) const {
    auto directory = TRY(find(which, name));
    TRY(check_part(directory, which, name, part));
    auto lock = TRY_WITHIN(VolumeLock::take(directory, verb), "{} {}", noun_of(which), name);
    if (!lock) return std::nullopt;
    if (!same_directory(directory, shelf(which), name))
        return fail(Kind::not_found, "{} {}: was removed just now", noun_of(which), name);
    const auto id = TRY_WITHIN(id_of(directory), "{} {}", noun_of(which), name);
    return Holding{*this, std::string{name}, id, std::move(directory), std::move(*lock)};
}

Result<Holding> Pool::hold(Shelf which, std::string_view name, std::string_view verb,
                           Part part) const {
    auto held = TRY(try_hold(which, name, verb, part));
    if (held) return *std::move(held);
    const auto holder = TRY(holder_of(TRY(find(which, name))));
    return fail(Kind::conflict, "{} {}: in use by {}", noun_of(which), name,
                holder.value_or(Holder{}).text());
}

// The lock is taken before anybody else may look whether it is free.
Result<Holding> Pool::begin(Shelf which, std::string_view verb, std::optional<Id> given) const {
    const auto id = given ? *given : TRY(make_id());
    auto made = [&]() -> Result<Holding> {
        const auto held = TRY(lock());
        TRY(sweep());
        auto directory = TRY(shelf(which).make_below(temporary_name(new_prefix, id)));
        auto own = TRY(VolumeLock::take(directory, verb));
        if (!own) return fail(Kind::conflict, "{}: locked by another", directory.path());
        return Holding{*this, {}, id, std::move(directory), *std::move(own)};
    }();
    if (!made) return made;
    for (const auto* name : {"journal.0", "journal.1", "intent"}) {
        auto file = made->directory().make_file(name);
        if (file) continue;
        static_cast<void>(discard(*made, which));
        return Failure{std::move(file).error()};
    }
    return made;
}

Result<void> Pool::publish(Holding& made, Shelf which, std::string_view name,
                           VolumeAbout about) const {
    TRY(check_name(noun_of(which), name));
    about.id = to_text(made.id());
    about.created = timestamp();
    TRY(write_about(made.directory(), about));
    TRY(made.directory().sync());
    const auto held = TRY(lock());
    auto renamed = shelf(which).rename(temporary_name(new_prefix, made.id()), shelf(which), name);
    if (!renamed && renamed.error().kind() == Kind::exists)
        return fail(Kind::exists, "{} {}: exists already", noun_of(which), name);
    if (!renamed) return renamed;
    made.name_ = name;
    return shelf(which).sync();
}

Result<void> Pool::discard(const Holding& made, Shelf which) const {
    TRY(made.keep_only({}));
    return shelf(which).remove_directory(temporary_name(new_prefix, made.id()));
}

Result<void> Pool::remove(const Holding& held, Shelf which) const {
    for (const auto& name : TRY(held.directory().names()))
        if (!is_ours(name))
            return fail(Kind::invalid, "{} {}: {} is not Sheaf's; move it away first",
                        noun_of(which), held.name(), held.directory().path_of(name));
    const auto gone = temporary_name(gone_prefix, held.id());
    {
        const auto lock_held = TRY(lock());
        TRY(sweep());
        TRY(shelf(which).rename(held.name(), shelf(which), gone));
        TRY(shelf(which).sync());
    }
    TRY(held.keep_only({}));
    return shelf(which).remove_directory(gone);
}

// Under the pool's lock: leftovers of those who did not get to their end.
Result<void> Pool::sweep() const {
    TRY(remove_unfinished(layers_));
    for (const auto which : {Shelf::volumes, Shelf::images}) {
        for (const auto& name : TRY(shelf(which).names())) {
            auto id = id_behind(new_prefix, name);
            if (!id) id = id_behind(gone_prefix, name);
            if (id) TRY(sweep(shelf(which), name, *id));
        }
    }
    return remove_all_gone(layers_);
}

Result<void> Pool::sweep(const Directory& shelf, const std::string& name, const Id& id) const {
    auto directory = shelf.open_below(name);
    if (!directory && directory.error().kind() == Kind::not_found) return {};
    if (!directory) return Failure{std::move(directory).error()};
    // Whoever is at it may be waiting for the pool's lock: nobody waits for them under it.
    const auto own = TRY(VolumeLock::take_if_free(*directory, "sweep"));
    if (!own) return {};
    for (const auto& layer : TRY(noted_layers(*directory))) TRY(end_claim(layers_, layer, id));
    return shelf.remove_directory(name);
}

}  // namespace sheaf::pool
