#include "storage/pool/layers.h"

#include <fcntl.h>

#include <algorithm>
#include <optional>

#include "base/defer.h"

namespace sheaf::pool {

namespace {

constexpr std::string_view claim_prefix = "claim.";
constexpr std::string_view note_prefix = "layer.";

std::string name_of(std::string_view prefix, const Id& id) {
    return std::string{prefix} + to_text(id);
}

// Claims on the layer, those of the owner left out.
Result<std::size_t> count_other_claims(const Directory& layer, const Id& owner) {
    const auto own = name_of(claim_prefix, owner);
    const auto names = TRY(layer.names());
    return static_cast<std::size_t>(std::ranges::count_if(names, [&](const std::string& name) {
        return name != own && id_behind(claim_prefix, name).has_value();
    }));
}

}  // namespace

std::optional<Id> id_behind(std::string_view prefix, std::string_view name) {
    if (!name.starts_with(prefix)) return std::nullopt;
    const auto id = parse_id(name.substr(prefix.size()));
    return id ? std::optional{*id} : std::nullopt;
}

Result<void> add_layer(const Directory& layers, const Id& layer, const Id& owner) {
    const auto unfinished = name_of(new_prefix, layer);
    const auto made = TRY(layers.make_below(unfinished));
    auto discard = Defer{[&] { static_cast<void>(layers.remove_directory(unfinished)); }};
    for (const auto& name : {std::string{"map"}, std::string{"data"}, name_of(claim_prefix, owner)})
        TRY(made.make_file(name));
    TRY(made.sync());
    TRY(layers.rename(unfinished, layers, to_text(layer)));
    discard.dismiss();
    return layers.sync();
}

Result<void> add_claim(const Directory& layers, const Id& layer, const Id& owner) {
    const auto directory = TRY(layers.open_below(to_text(layer)));
    TRY(directory.make_file(name_of(claim_prefix, owner)));
    return directory.sync();
}

Result<bool> end_claim(const Directory& layers, const Id& layer, const Id& owner) {
    auto directory = layers.open_below(to_text(layer));
    if (!directory && directory.error().kind() == Kind::not_found) return false;
    if (!directory) return Failure{std::move(directory).error()};
    const auto claim = name_of(claim_prefix, owner);
    if (!TRY(directory->has(claim))) return false;
    if (TRY(count_other_claims(*directory, owner)) > 0) {
        TRY(directory->remove_file(claim));
        TRY(directory->sync());
        return false;
    }
    TRY(layers.rename(to_text(layer), layers, name_of(gone_prefix, layer)));
    TRY(layers.sync());
    return true;
}

Result<bool> has_claim(const Directory& layers, const Id& layer, const Id& owner) {
    return layers.has(to_text(layer) + "/" + name_of(claim_prefix, owner));
}

Result<bool> has_other_claims(const Directory& layers, const Id& layer, const Id& owner) {
    const auto directory = TRY(layers.open_below(to_text(layer)));
    return TRY(count_other_claims(directory, owner)) > 0;
}

Result<void> remove_unfinished(const Directory& layers) {
    for (const auto& name : TRY(layers.names()))
        if (id_behind(new_prefix, name)) TRY(layers.remove_directory(name));
    return {};
}

Result<void> remove_gone(const Directory& layers, const Id& layer) {
    return layers.remove_directory(name_of(gone_prefix, layer));
}

Result<void> remove_all_gone(const Directory& layers) {
    for (const auto& name : TRY(layers.names()))
        if (id_behind(gone_prefix, name)) TRY(layers.remove_directory(name));
    return {};
}

std::string note_name(const Id& layer) {
    return name_of(note_prefix, layer);
}

Result<std::vector<Id>> noted_layers(const Directory& volume) {
    std::vector<Id> layers;
    for (const auto& name : TRY(volume.names()))
        if (const auto layer = id_behind(note_prefix, name)) layers.push_back(*layer);
    return layers;
}

}  // namespace sheaf::pool
