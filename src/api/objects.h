#pragma once

// Why: the verbs on objects, over the store alone: each is one transaction whose conditions say
// what it relied on, so any number of clients and servers meet without a lock (docs/api.md,
// Writing).

#include <functional>

#include "api/admission.h"
#include "api/selector.h"
#include "base/wall_clock.h"
#include "io/event.h"
#include "io/task.h"
#include "store/kv.h"

namespace sheaf::api {

struct ListOptions {
    Selector selector;
    std::size_t limit = 0;  // objects; 0: all
    std::string token;      // of the page before
    kv::Revision at = 0;    // 0: the newest
};

struct Listing {
    std::vector<std::string> objects;  // each as JSON
    kv::Revision revision = 0;
    std::string token;  // for the next page; empty: that was all
};

enum class PatchType { merge, json, strategic, apply };
struct Patch {
    PatchType type = PatchType::merge;
    Json document;
    std::string manager = {};  // of an apply, as the next
    bool force = false;
};

// What becomes of what was made for an object that is deleted: it goes after it, before it, or
// stays. As in Kubernetes the last two are kept as finalizers.
enum class Propagation { background, foreground, orphan };
inline constexpr std::string_view foreground_finalizer = "foregroundDeletion";
inline constexpr std::string_view orphan_finalizer = "orphan";

struct DeleteOptions {
    bool dry_run = false;
    std::string uid;  // that the object must have; empty: any
    std::string revision;
    Propagation propagation = Propagation::background;
};

// Loop thread only, any number of calls at once. Whatever is passed outlives it. What the store
// cannot do is the answer 503, 504, 410 or 500; whether something was done is then open.
class Objects {
  public:
    using Random = std::move_only_function<std::uint64_t()>;
    Objects(kv::Kv& store, const WallClock& clock, Random random)
        : store_(store), clock_(clock), random_(std::move(random)) {}

    io::Task<Answer> get(Place place);
    io::Task<std::expected<Listing, Answer>> list(Place place, ListOptions options);
    io::Task<Answer> create(Place place, Json body, WriteOptions options);
    io::Task<Answer> replace(Place place, Json body, WriteOptions options);
    io::Task<Answer> patch(Place place, Patch patch, WriteOptions options);
    io::Task<Answer> remove(Place place, DeleteOptions options);

    kv::Kv& store() { return store_; }
    const WallClock& clock() const { return clock_; }
    // Set when a namespace may have come nearer to its end.
    io::Event& namespaces_stirred() { return namespaces_stirred_; }
    // Makes the namespace where it is not there.
    io::Task<void> ensure_namespace(std::string name);
    // What a new object gets.
    Birth birth();

  private:
    struct Home {
        std::optional<Answer> refusal;
        std::vector<kv::Condition> conditions;
    };
    io::Task<Home> find_home(Place place);
    io::Task<Answer> try_create(Place place, Json body, WriteOptions options, bool& again);
    io::Task<Answer> change(Place place, std::optional<Json> body, std::optional<Patch> patch,
                            WriteOptions options);
    io::Task<Answer> create_applied(Place place, Patch patch, WriteOptions options, bool& again);
    std::expected<Json, Answer> changed(const Place& place, const Json& before, const Patch& patch,
                                        WriteOptions& options) const;
    io::Task<Answer> try_change(Place place, const kv::Record& record, Json before, Json body,
                                WriteOptions options, bool& again);
    io::Task<Answer> begin_end(Place place, const kv::Record& record, Json object,
                               DeleteOptions options, bool& again);
    io::Task<Answer> end(Place place, const kv::Record& record, const Json& object,
                         DeleteOptions options, bool& again);
    io::Task<bool> write(kv::Transaction transaction, kv::Revision& revision);

    kv::Kv& store_;
    const WallClock& clock_;
    Random random_;
    io::Event namespaces_stirred_;
};

// A time as the API writes it, "2026-01-31T12:00:00Z".
std::string time_text(WallClock::TimePoint time);

}  // namespace sheaf::api
