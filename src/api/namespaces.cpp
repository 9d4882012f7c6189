#include "api/namespaces.h"

#include "api/stored_object.h"

namespace sheaf::api {

namespace {

constexpr std::chrono::seconds after_failure{5};

}  // namespace

io::Task<void> NamespaceSweeper::run() {
    auto& stirred = objects_.namespaces_stirred();
    while (true) {
        stirred.clear();
        const auto swept = co_await sweep_all().result();
        if (swept) {
            co_await stirred.wait();
        } else if (swept.error().kind() == sheaf::Kind::cancelled) {
            co_await swept;
        } else {
            logger_.warning("namespaces cannot be swept", {{"reason", swept.error().text()}});
            co_await loop_.sleep(after_failure);
        }
    }
}

io::Task<void> NamespaceSweeper::sweep_all() {
    const auto prefix = prefix_of(namespace_kind);
    kv::ListRequest request{.prefix = prefix, .after = {}, .limit = kv::largest_page, .at = 0};
    while (true) {
        const auto page = co_await objects_.store().list(request);
        request.at = page.revision;
        for (const auto& record : page.records)
            if (is_terminating(co_await published_object(namespace_kind, record)))
                co_await sweep(record.key.substr(prefix.size()));
        if (!page.more) co_return;
        request.after = page.records.back().key;
    }
}

// Nothing new comes into a namespace whose record says that it ends: whoever makes something has
// that record among its conditions.
io::Task<void> NamespaceSweeper::sweep(std::string name) {
    bool all = true;
    for (const auto* kind : all_kinds())
        if (kind->namespaced() && !co_await empty(name, *kind)) all = false;
    if (!all) co_return;
    const auto key = key_of(namespace_kind, {}, name);
    const auto record = co_await objects_.store().get(key);
    if (!record) co_return;
    const auto object = co_await published_object(namespace_kind, *record);
    if (!is_terminating(object) || has_finalizers(object)) co_return;
    kv::Transaction transaction{{{key, record->modified}}, {}};
    transaction.writes.push_back({key, std::nullopt});
    const auto gone = co_await objects_.store().commit(std::move(transaction)).result();
    if (!gone && gone.error().kind() != sheaf::Kind::conflict) co_await gone;
}

// Gives whether nothing is left.
io::Task<bool> NamespaceSweeper::empty(std::string name, const Kind& kind) {
    const auto prefix = prefix_of(kind, name);
    kv::ListRequest request{.prefix = prefix, .after = {}, .limit = kv::largest_page, .at = 0};
    bool all = true;
    while (true) {
        const auto page = co_await objects_.store().list(request);
        for (const auto& record : page.records) {
            const Place place{&kind, name, record.key.substr(prefix.size()), false};
            const auto held = has_finalizers(co_await published_object(kind, record));
            const auto removed = co_await objects_.remove(place, {});
            if (held || (!removed.ok() && removed.status != 404)) all = false;
        }
        if (!page.more) co_return all;
        request.after = page.records.back().key;
        request.at = page.revision;
    }
}

}  // namespace sheaf::api
