#include "base/metrics_registry.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace sheaf {

namespace {

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
constexpr std::string_view digits = "0123456789";

bool is_name(std::string_view text) {
    return !text.empty() && !digits.contains(text.front()) &&
           std::ranges::all_of(text, [](char letter) {
               return letters.contains(letter) || digits.contains(letter);
           });
}

// Backslash, line feed and (in a label) the quote are what the format escapes.
std::string escaped(std::string_view text) {
    auto out = std::string{};
    for (const char letter : text) {
        if (letter == '\n') {
            out += "\\n";
        } else {
            if (letter == '\\' || letter == '"') out += '\\';
            out += letter;
        }
    }
    return out;
}

std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    return fmt::format("{}", value);
}

// Appends one line: name, labels with `extra` (name="value") behind them, value.
void append_sample(std::string& out, std::string_view name, const std::vector<MetricLabel>& labels,
                   std::string_view extra, std::string_view value) {
    auto list = std::string{};
    for (const auto& label : labels)
        list +=
            fmt::format("{}{}=\"{}\"", list.empty() ? "" : ",", label.name, escaped(label.value));
    if (!extra.empty()) list += fmt::format("{}{}", list.empty() ? "" : ",", extra);
    if (!list.empty()) list = fmt::format("{{{}}}", list);
    out += fmt::format("{}{} {}\n", name, list, value);
}

struct Writer {
    std::string& out;
    std::string_view name;
    const std::vector<MetricLabel>& labels;

    void operator()(const Counter* counter) const {
        append_sample(out, name, labels, "", fmt::format("{}", counter->value()));
    }
    void operator()(const Gauge* gauge) const {
        append_sample(out, name, labels, "", fmt::format("{}", gauge->value()));
    }
    // The format's buckets are cumulative; the count is the last of them, so that it agrees with
    // them whatever was observed meanwhile.
    void operator()(const Histogram* histogram) const {
        const auto bounds = histogram->bounds();
        std::uint64_t below = 0;
        for (std::size_t i = 0; i <= bounds.size(); ++i) {
            below += histogram->count(i);
            const auto bound = i < bounds.size() ? bounds[i] : INFINITY;
            append_sample(out, fmt::format("{}_bucket", name), labels,
                          fmt::format("le=\"{}\"", number(bound)), fmt::format("{}", below));
        }
        append_sample(out, fmt::format("{}_sum", name), labels, "", number(histogram->sum()));
        append_sample(out, fmt::format("{}_count", name), labels, "", fmt::format("{}", below));
    }
};

struct KindName {
    std::string_view operator()(const Counter*) const { return "counter"; }
    std::string_view operator()(const Gauge*) const { return "gauge"; }
    std::string_view operator()(const Histogram*) const { return "histogram"; }
};

}  // namespace

MetricsRegistry::Registration& MetricsRegistry::Registration::operator=(
    Registration&& other) noexcept {
    std::swap(registry_, other.registry_);
    std::swap(family_, other.family_);
    std::swap(entry_, other.entry_);
    return *this;
}

MetricsRegistry::Registration::~Registration() {
    if (registry_) registry_->remove(*this);
}

Result<MetricsRegistry::Registration> MetricsRegistry::add(MetricIdentity identity,
                                                           const Counter& metric) {
    return add_metric(std::move(identity), &metric);
}
Result<MetricsRegistry::Registration> MetricsRegistry::add(MetricIdentity identity,
                                                           const Gauge& metric) {
    return add_metric(std::move(identity), &metric);
}
Result<MetricsRegistry::Registration> MetricsRegistry::add(MetricIdentity identity,
                                                           const Histogram& metric) {
    return add_metric(std::move(identity), &metric);
}

Result<MetricsRegistry::Registration> MetricsRegistry::add_metric(MetricIdentity identity,
                                                                  Metric metric) {
    if (!is_name(identity.name))
        return fail(Kind::invalid, "metric \"{}\": not a name", identity.name);
    for (const auto& label : identity.labels)
        if (!is_name(label.name) || label.name == "le")
            return fail(Kind::invalid, "metric {}: label \"{}\" is not allowed", identity.name,
                        label.name);
    std::ranges::sort(identity.labels);

    const auto lock = std::lock_guard{mutex_};
    const auto known = families_.find(identity.name);
    if (known != families_.end()) {
        auto& entries = known->second.entries;
        if (entries.front().metric.index() != metric.index())
            return fail(Kind::conflict, "metric {}: there is one of another kind", identity.name);
        if (std::ranges::find(entries, identity.labels, &Entry::labels) != entries.end())
            return fail(Kind::exists, "metric {}: already there with these labels", identity.name);
    }
    auto registration = Registration{};
    registration.registry_ = this;
    registration.family_ = families_.try_emplace(identity.name).first;
    auto& family = registration.family_->second;
    if (family.entries.empty()) family.help = std::move(identity.help);
    registration.entry_ =
        family.entries.insert(family.entries.end(), Entry{std::move(identity.labels), metric});
    return registration;
}

void MetricsRegistry::remove(Registration& registration) {
    const auto lock = std::lock_guard{mutex_};
    auto& entries = registration.family_->second.entries;
    entries.erase(registration.entry_);
    if (entries.empty()) families_.erase(registration.family_);
}

std::string MetricsRegistry::text() const {
    auto out = std::string{};
    const auto lock = std::lock_guard{mutex_};
    for (const auto& [name, family] : families_) {
        out += fmt::format("# HELP {} {}\n", name, family.help);
        out += fmt::format("# TYPE {} {}\n", name,
                           std::visit(KindName{}, family.entries.front().metric));
        for (const auto& entry : family.entries)
            std::visit(Writer{out, name, entry.labels}, entry.metric);
    }
    return out;
}

}  // namespace sheaf
