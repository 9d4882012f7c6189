#include "control/event_recorder.h"

#include "api/kinds.h"
#include "api/stored_object.h"

namespace sheaf::control {

namespace {

constexpr std::size_t longest_stem = 230;

// FNV-1a: the same event has the same name.
std::uint64_t hash_of(std::string_view text, std::uint64_t hash = 0xcbf29ce484222325) {
    for (const auto letter : text)
        hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
    return (hash ^ 0xff) * 0x100000001b3;
}

std::string name_of(const Json& object, const Event& event) {
    auto hash = hash_of(object.text_at({"metadata", "uid"}));
    for (const auto part : {event.type, event.reason, std::string_view{event.message}})
        hash = hash_of(part, hash);
    const auto stem = object.text_at({"metadata", "name"}).substr(0, longest_stem);
    return fmt::format("{}.{:016x}", stem, hash);
}

Json reference_to(const api::Kind& kind, const Json& object) {
    auto reference = Json::object({{"apiVersion", kind.api_version()}, {"kind", kind.name}});
    for (const auto* name : {"namespace", "name", "uid", "resourceVersion"})
        if (const auto* value = object.at({"metadata", name})) reference[name] = *value;
    return reference;
}

Json first_of(const api::Kind& kind, const Json& object, const Event& event, std::string time) {
    auto metadata = Json::object({{"name", name_of(object, event)}});
    auto source = Json::object({{"component", "sheaf"}});
    return Json::object({{"metadata", std::move(metadata)},
                         {"involvedObject", reference_to(kind, object)},
                         {"reason", event.reason},
                         {"message", event.message},
                         {"type", event.type},
                         {"count", 1},
                         {"source", std::move(source)},
                         {"reportingComponent", "sheaf"},
                         {"firstTimestamp", time},
                         {"lastTimestamp", std::move(time)}});
}

// The one that was there before, seen once more.
Json once_more(Json before, const Json& now) {
    const auto* count = before.find("count");
    before["count"] = (count ? count->integer().value_or(0) : 0) + 1;
    before["lastTimestamp"] = now.text_at({"lastTimestamp"});
    before["involvedObject"] = *now.find("involvedObject");
    return before;
}

}  // namespace

io::Task<void> EventRecorder::record(const api::Kind& kind, Json object, Event event) {
    if (bucket_.take(1, loop_.now()) == 0) co_return;
    const auto reason = std::string{event.reason};
    const auto written = co_await write(kind, std::move(object), std::move(event)).result();
    if (!written && written.error().kind() == Kind::cancelled) co_await written;
    if (!written)
        logger_.warning("an event is not kept",
                        {{"event", reason}, {"reason", written.error().text()}});
}

io::Task<void> EventRecorder::write(const api::Kind& kind, Json object, Event event) {
    auto name_space = std::string{object.text_at({"metadata", "namespace"})};
    if (name_space.empty()) name_space = "default";
    const auto first = first_of(kind, object, event, client_.time());
    constexpr int most_tries = 4;
    for (int tries = 1;; ++tries) {
        const auto tried = co_await try_write(name_space, first).result();
        if (tried) co_return;
        const auto why = tried.error().kind();
        if (why == Kind::not_found) lease_ = 0;  // the lease has ended
        if (tries == most_tries || (why != Kind::not_found && why != Kind::conflict))
            co_await tried;
    }
}

// In a namespace that ends, or has ended, nothing is told any more.
io::Task<void> EventRecorder::try_write(std::string name_space, Json written) {
    auto& store = client_.store();
    const auto home_key = api::key_of(api::namespace_kind, {}, name_space);
    const auto home = co_await store.get(home_key);
    if (!home) co_return;
    if (api::is_terminating(co_await api::published_object(api::namespace_kind, *home))) co_return;
    const auto name = std::string{written.text_at({"metadata", "name"})};
    const auto key = api::key_of(api::event_kind, name_space, name);
    const auto before = co_await store.get(key);
    if (before) {
        auto known = co_await api::published_object(api::event_kind, *before);
        written = once_more(std::move(known), written);
    } else {
        const auto birth = client_.objects().birth();
        auto& metadata = written["metadata"];
        metadata["namespace"] = std::move(name_space);
        metadata["uid"] = birth.uid;
        metadata["creationTimestamp"] = birth.time;
    }
    const auto lease = co_await this->lease();
    kv::Transaction transaction{{{home_key, home->modified}}, {}};
    transaction.conditions.push_back({key, before ? before->modified : 0});
    transaction.writes.push_back({key, api::stored_text(std::move(written)), lease});
    co_await store.commit(std::move(transaction));
}

io::Task<kv::LeaseId> EventRecorder::lease() {
    if (lease_ != 0 && loop_.now() < lease_until_) co_return lease_;
    const auto granted = co_await client_.store().grant(life);
    lease_ = granted.id;
    lease_until_ = loop_.now() + shared;
    co_return lease_;
}

}  // namespace sheaf::control
