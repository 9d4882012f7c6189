#pragma once

// Why: before a client reads or writes, it chooses an export and what both sides understand.

#include <optional>

#include "storage/nbd/exports.h"
#include "storage/nbd/input.h"
#include "storage/nbd/meta_contexts.h"
#include "storage/nbd/protocol.h"
#include "storage/nbd/wire_buffer.h"

namespace sheaf::nbd {

// What client and server have agreed on.
struct Agreed {
    Export exported;
    std::vector<MetaContext> contexts;  // of this export
    bool structured = false;
};

// The flags that tell a client what an export can do.
std::uint16_t transmission_flags(const Export& exported, bool structured);

class Negotiation {
  public:
    static constexpr unsigned most_options = 256;
    // What a client is told that may not come in, instead of what it asks for.
    struct Refusal {
        OptionReply why = OptionReply::policy;
        std::string text;
    };

    // All of them outlive this. With a refusal, every option is answered by it.
    Negotiation(io::Loop& loop, int descriptor, Input& input, Exports& exports,
                std::optional<Refusal> refusal)
        : loop_(loop),
          descriptor_(descriptor),
          input_(input),
          exports_(exports),
          refusal_(std::move(refusal)) {}

    // What was agreed on, or nothing where the client left. Fails where it broke the protocol.
    io::Task<std::optional<Agreed>> run();

  private:
    enum class Step { next_option, left, agreed };

    io::Task<bool> greet();
    io::Task<bool> take_option();
    io::Task<Step> answer();
    io::Task<Step> answer_export_name();
    io::Task<Step> answer_info();
    io::Task<void> answer_contexts();
    void answer_list();
    void answer_structured_reply();
    io::Task<Export> open(std::string name);
    void agree(std::string_view name, Export exported);
    void reply(OptionReply type, std::span<const std::byte> data = {});
    void reply_error(const Error& error);
    io::Task<void> send_replies();

    io::Loop& loop_;
    int descriptor_;
    Input& input_;
    Exports& exports_;
    std::optional<Refusal> refusal_;

    OptionHeader option_;
    std::vector<std::byte> data_;  // of the option
    WireBuffer out_;
    bool no_zeroes_ = false;
    bool structured_ = false;

    // By the last SET_META_CONTEXT, kept open: its contexts are those of the export to be used.
    struct Selection {
        std::string name;  // as the client wrote it
        Export exported;
        std::vector<MetaContext> contexts;
    };
    std::optional<Selection> selection_;
    std::optional<Agreed> agreed_;
};

}  // namespace sheaf::nbd
