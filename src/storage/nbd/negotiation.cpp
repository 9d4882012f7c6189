#include "storage/nbd/negotiation.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "storage/nbd/option_data.h"
#include "storage/nbd/output.h"

namespace sheaf::nbd {

namespace {

using Number16 = BigEndian<std::uint16_t>;
using Number32 = BigEndian<std::uint32_t>;
using Number64 = BigEndian<std::uint64_t>;

struct ExportInfo {
    Number16 type = static_cast<std::uint16_t>(Info::exported);
    Number64 size;
    Number16 flags;
};

struct BlockSizeInfo {
    Number16 type = static_cast<std::uint16_t>(Info::block_size);
    Number32 least;
    Number32 preferred;
    Number32 most = most_payload;
};

BlockSizeInfo block_sizes(const Export& exported) {
    const auto geometry = exported.block->geometry();
    BlockSizeInfo info;
    info.least = geometry.block_size;
    info.preferred = std::max(geometry.block_size, geometry.preferred_block_size);
    return info;
}

WireBuffer text_info(Info type, std::string_view text) {
    WireBuffer info;
    info.put(Number16{static_cast<std::uint16_t>(type)});
    info.put_text(text);
    return info;
}

OptionReply reply_type_of(Kind kind) {
    switch (kind) {
        case Kind::exhausted: return OptionReply::too_big;
        case Kind::not_found: return OptionReply::unknown;
        case Kind::unsupported: return OptionReply::unsupported;
        default: return OptionReply::invalid;
    }
}

}  // namespace

std::uint16_t transmission_flags(const Export& exported, bool structured) {
    const auto geometry = exported.block->geometry();
    unsigned flags = transmit_has_flags | transmit_flush | transmit_fua | transmit_multi_conn;
    if (structured) flags |= transmit_df;
    if (exported.read_only || geometry.read_only) {
        flags |= transmit_read_only;
    } else {
        flags |= transmit_write_zeroes | transmit_fast_zero;
        if (geometry.discard_granularity > 0) flags |= transmit_trim;
    }
    return static_cast<std::uint16_t>(flags);
}

io::Task<std::optional<Agreed>> Negotiation::run() {
    if (!co_await greet()) co_return std::nullopt;
    for (unsigned count = 0; count < most_options; ++count) {
        if (!co_await take_option()) co_return std::nullopt;
        const auto step = co_await answer();
        co_await send_replies();
        if (step == Step::left) co_return std::nullopt;
        if (step == Step::agreed) co_return std::move(agreed_);
    }
    co_await fail(Kind::exhausted, "more than {} options", most_options);
    co_return std::nullopt;
}

io::Task<bool> Negotiation::greet() {
    const Greeting greeting;
    co_await send_all(loop_, descriptor_, bytes_of(greeting));
    if (!co_await input_.fill(sizeof(Number32))) co_return false;
    const std::uint32_t flags = input_.take<Number32>();
    if ((flags & ~std::uint32_t{flag_fixed_newstyle | flag_no_zeroes}) != 0)
        co_await fail(Kind::unsupported, "unknown client flags {:#x}", flags);
    no_zeroes_ = (flags & flag_no_zeroes) != 0;
    co_return true;
}

io::Task<bool> Negotiation::take_option() {
    if (!co_await input_.fill(sizeof(OptionHeader))) co_return false;
    option_ = input_.take<OptionHeader>();
    const std::uint64_t magic = option_.magic;
    if (magic != option_magic) co_await fail(Kind::corrupt, "{:#x} where an option begins", magic);
    const std::uint32_t length = option_.length;
    if (length > longest_option)
        co_await fail(Kind::exhausted, "an option with {} bytes of data", length);
    data_.resize(length);
    co_await input_.receive(data_);
    co_return true;
}

io::Task<Negotiation::Step> Negotiation::answer() {
    const auto code = static_cast<OptionCode>(std::uint32_t{option_.code});
    if (code == OptionCode::abort) {
        reply(OptionReply::ack);
        // Many do not wait for the answer.
        static_cast<void>(co_await send_replies().result());
        co_return Step::left;
    }
    if (refusal_) {
        if (code == OptionCode::export_name) co_return Step::left;
        reply(refusal_->why, as_bytes(refusal_->text));
        co_return Step::next_option;
    }
    switch (code) {
        case OptionCode::export_name: co_return co_await answer_export_name();
        case OptionCode::info:
        case OptionCode::go: co_return co_await answer_info();
        case OptionCode::list_meta_context:
        case OptionCode::set_meta_context: co_await answer_contexts(); break;
        case OptionCode::list: answer_list(); break;
        case OptionCode::structured_reply: answer_structured_reply(); break;
        default: {
            const std::uint32_t unknown = option_.code;
            reply_error(Error{Kind::unsupported, fmt::format("option {} is not known", unknown)});
        }
    }
    co_return Step::next_option;
}

io::Task<Negotiation::Step> Negotiation::answer_export_name() {
    auto name = co_await parse_name(data_);
    auto exported = co_await open(name);
    ExportInfo info;
    info.size = exported.block->geometry().size;
    info.flags = transmission_flags(exported, structured_);
    out_.put(info.size);
    out_.put(info.flags);
    constexpr std::array<std::byte, 124> zeroes{};
    if (!no_zeroes_) out_.put_bytes(zeroes);
    agree(name, std::move(exported));
    co_return Step::agreed;
}

io::Task<Negotiation::Step> Negotiation::answer_info() {
    auto request = parse_info(data_);
    if (!request) {
        reply_error(request.error());
        co_return Step::next_option;
    }
    auto exported = co_await open(request->name).result();
    if (!exported) {
        reply_error(exported.error());
        co_return Step::next_option;
    }
    ExportInfo info;
    info.size = exported->block->geometry().size;
    info.flags = transmission_flags(*exported, structured_);
    const auto sizes = block_sizes(*exported);
    reply(OptionReply::info, bytes_of(info));
    reply(OptionReply::info, bytes_of(sizes));
    if (request->wants_name)
        reply(OptionReply::info, text_info(Info::name, exported->name).bytes());
    if (request->wants_description)
        reply(OptionReply::info, text_info(Info::description, exported->description).bytes());
    reply(OptionReply::ack);
    if (static_cast<OptionCode>(std::uint32_t{option_.code}) == OptionCode::info)
        co_return Step::next_option;
    agree(request->name, *std::move(exported));
    co_return Step::agreed;
}

// An export that cannot be opened is, for the client, not there; the text says why.
io::Task<Export> Negotiation::open(std::string name) {
    auto exported = co_await exports_.open(name).result();
    if (!exported && exported.error().kind() != Kind::cancelled)
        co_await fail(Kind::not_found, "{}", exported.error().text());
    co_return co_await std::move(exported);
}

void Negotiation::agree(std::string_view name, Export exported) {
    agreed_.emplace();
    agreed_->structured = structured_;
    if (selection_ && selection_->name == name) {
        agreed_->contexts = std::move(selection_->contexts);
        exported = std::move(selection_->exported);
    }
    agreed_->exported = std::move(exported);
}

io::Task<void> Negotiation::answer_contexts() {
    const auto selects =
        static_cast<OptionCode>(std::uint32_t{option_.code}) == OptionCode::set_meta_context;
    if (selects) selection_.reset();
    if (!structured_)
        co_return reply_error(Error{Kind::invalid, "contexts need structured replies first"});
    auto request = parse_contexts(data_);
    if (!request) co_return reply_error(request.error());
    auto exported = co_await open(request->name).result();
    if (!exported) co_return reply_error(exported.error());
    auto contexts = selects ? select_contexts(*exported, request->queries)
                            : find_contexts(*exported, request->queries);
    if (!contexts) co_return reply_error(contexts.error());
    for (const auto& context : *contexts) {
        WireBuffer description;
        description.put(Number32{selects ? context.id : 0});
        description.put_text(context.name);
        reply(OptionReply::meta_context, description.bytes());
    }
    reply(OptionReply::ack);
    if (selects)
        selection_.emplace(std::move(request->name), *std::move(exported), *std::move(contexts));
}

void Negotiation::answer_list() {
    if (!data_.empty()) return reply_error(Error{Kind::invalid, "a list takes no data"});
    for (const auto& listed : exports_.list()) {
        WireBuffer description;
        description.put(Number32{static_cast<std::uint32_t>(listed.name.size())});
        description.put_text(listed.name);
        description.put_text(listed.description);
        reply(OptionReply::server, description.bytes());
    }
    reply(OptionReply::ack);
}

void Negotiation::answer_structured_reply() {
    if (!data_.empty()) return reply_error(Error{Kind::invalid, "structured replies take no data"});
    structured_ = true;
    reply(OptionReply::ack);
}

void Negotiation::reply(OptionReply type, std::span<const std::byte> data) {
    OptionReplyHeader header;
    header.code = option_.code;
    header.type = static_cast<std::uint32_t>(type);
    header.length = static_cast<std::uint32_t>(data.size());
    out_.put(header);
    out_.put_bytes(data);
}

void Negotiation::reply_error(const Error& error) {
    const auto text = utf8_prefix(error.text(), longest_string);
    reply(reply_type_of(error.kind()), as_bytes(text));
}

io::Task<void> Negotiation::send_replies() {
    co_await send_all(loop_, descriptor_, out_.bytes());
    out_.clear();
}

}  // namespace sheaf::nbd
