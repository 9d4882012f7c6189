#include "control/image_reconciler.h"

#include "api/kinds.h"
#include "api/quantity.h"
#include "io/task_group.h"

namespace sheaf::control {

namespace {

ImageType type_of(const Json& object) {
    return object.text_at({"spec", "kind"}) == "kernel" ? ImageType::kernel : ImageType::disk;
}

NewImage wanted_by(const Json& object) {
    NewImage wanted{pool_name_of(object),
                    type_of(object),
                    std::string{object.text_at({"spec", "source", "url"})},
                    {}};
    auto sha256 = object.text_at({"spec", "source", "sha256"});
    // What it was once it stays, whatever is published there now.
    if (sha256.empty()) sha256 = object.text_at({"status", "sha256"});
    if (!sha256.empty()) wanted.sha256 = sha256;
    return wanted;
}

void put_facts(Json& status, const DiskFacts& facts) {
    status["size"] = api::quantity_text(facts.size);
    status["used"] = api::quantity_text(facts.used);
    if (!facts.sha256.empty()) status["sha256"] = facts.sha256;
}

}  // namespace

std::string text_of(const ImportProgress::Now& now) {
    if (now.total == 0 && now.done == 0) return now.doing;
    if (now.total == 0) return fmt::format("{} {} MiB", now.doing, now.done >> 20);
    const auto part = static_cast<double>(now.done) / static_cast<double>(now.total);
    return fmt::format("{} {:.0f} %", now.doing, 100 * std::min(part, 1.0));
}

const api::Kind& ImageReconciler::kind() const {
    return api::image_kind;
}

io::Task<LookAgain> ImageReconciler::reconcile(ObjectKey, std::optional<Json> object) {
    if (!object) co_return std::nullopt;
    if (api::is_terminating(*object)) {
        co_await end(*std::move(object));
        co_return std::nullopt;
    }
    co_await client_.add_finalizer(kind(), *object, std::string{finalizer});
    const auto provided = co_await provide(*object).result();
    if (!provided && provided.error().kind() == Kind::cancelled) co_await provided;
    // It was deleted meanwhile, and is looked at again because of that.
    if (api::is_terminating(*object)) co_return std::nullopt;
    auto status = status_of(*object);
    status.erase("progress");
    Outcome outcome{"Ready", yes, "Imported", {}};
    if (provided) {
        status["image"] = pool_name_of(*object);
        put_facts(status, *provided);
    } else {
        outcome = outcome_of(provided.error());
    }
    co_await tell_outcome(client_, events_, kind(), *object, std::move(status), std::move(outcome));
    if (!provided) co_await provided;
    co_return std::nullopt;
}

io::Task<DiskFacts> ImageReconciler::provide(Json& object) {
    auto facts = co_await pool_.find_image(pool_name_of(object), type_of(object));
    if (!facts) {
        co_await import(object);
        facts = co_await pool_.find_image(pool_name_of(object), type_of(object));
    }
    if (!facts) co_await fail(Kind::unavailable, "it was removed while it was imported");
    if (!facts->problem.empty()) co_await fail(Kind::corrupt, "{}", facts->problem);
    co_return *std::move(facts);
}

// While it is imported, its status says how far that is; where it is deleted, it is given up.
io::Task<void> ImageReconciler::import(Json& object) {
    ImportProgress progress;
    io::TaskGroup importing;
    io::TaskGroup reporting;
    importing.start(import_and_end(object, progress, reporting));
    reporting.start(report(object, progress, importing));
    auto imported = co_await importing.join().result();
    reporting.cancel();
    static_cast<void>(co_await reporting.join().result());  // what it could not tell is told later
    if (!imported && imported.error().kind() == Kind::exists) co_return;
    co_await std::move(imported);
}

io::Task<void> ImageReconciler::import_and_end(const Json& object, ImportProgress& progress,
                                               io::TaskGroup& group) {
    auto imported = co_await pool_.import(wanted_by(object), progress).result();
    group.cancel();
    co_await std::move(imported);
}

io::Task<void> ImageReconciler::report(Json& object, ImportProgress& progress,
                                       io::TaskGroup& group) {
    while (true) {
        // What cannot be read or told now is tried again with the next report.
        auto now = co_await client_.get(kind(), key_of(object)).result();
        if (now && *now) object = **std::move(now);
        if (api::is_terminating(object)) co_return group.cancel();
        auto status = status_of(object);
        status["progress"] = text_of(progress.now());
        Outcome outcome{"Importing", no, "Importing", {}};
        auto telling =
            tell_outcome(client_, events_, kind(), object, std::move(status), std::move(outcome));
        static_cast<void>(co_await std::move(telling).result());
        co_await loop_.sleep(between_reports);
    }
}

// Volumes that began as it keep what they have of it.
io::Task<void> ImageReconciler::end(Json object) {
    if (!has_finalizer(object, finalizer)) co_return;
    const auto removed =
        co_await pool_.remove_image(pool_name_of(object), type_of(object)).result();
    if (!removed && removed.error().kind() != Kind::cancelled) {
        auto outcome = outcome_of(removed.error());
        co_await tell_terminating(client_, events_, kind(), object, std::move(outcome));
    }
    co_await removed;
    co_await client_.remove_finalizer(kind(), object, std::string{finalizer});
}

}  // namespace sheaf::control
