// Records of where copies are, and of what an engine tells of them.

#include "storage/replica/copies_record.h"

#include <gtest/gtest.h>

#include "storage/replica/attachment.h"

namespace sheaf::replica {
namespace {

constexpr auto id = "0123456789abcdef0123456789abcdef";

CopiesRecord sound() {
    CopiesRecord record;
    record.id = id;
    record.size = 1 << 20;
    record.copies = {{"a", "10.0.0.1:7000"}, {"b", "unix:/run/b"}};
    return record;
}

TEST(CopiesRecords, ComeBackAsTheyWere) {
    auto record = sound();
    for (const auto state : {CopiesState::creating, CopiesState::kept, CopiesState::deleting}) {
        record.state = state;
        EXPECT_EQ(parse_copies(encode_copies(record)), record);
    }
    EXPECT_EQ(record.find("b")->address, "unix:/run/b");
    EXPECT_EQ(record.find("c"), nullptr);
    EXPECT_EQ(copies_key("disk"), "volumes/disk/copies");
}

void expect_refused(const CopiesRecord& record, Kind kind, const std::string& named) {
    const auto parsed = parse_copies(encode_copies(record));
    ASSERT_FALSE(parsed) << named;
    EXPECT_EQ(parsed.error().kind(), kind);
    EXPECT_NE(parsed.error().text().find(named), std::string::npos) << parsed.error().text();
}

TEST(CopiesRecords, ThatContradictThemselvesAreRefused) {
    auto record = sound();
    record.version = 2;
    expect_refused(record, Kind::unsupported, "/version");
    record = sound();
    record.id = "x";
    expect_refused(record, Kind::corrupt, "/id");
    record = sound();
    record.size = 4095;
    expect_refused(record, Kind::corrupt, "/size");
    record = sound();
    record.copies.clear();
    expect_refused(record, Kind::corrupt, "/copies");
    record = sound();
    record.copies[1].node = "a";
    expect_refused(record, Kind::corrupt, "/copies");
    record = sound();
    record.copies[1].address = "nowhere";
    expect_refused(record, Kind::corrupt, "address of b");
    EXPECT_EQ(parse_copies("{}").error().kind(), Kind::corrupt);
    EXPECT_EQ(parse_copies("[").error().kind(), Kind::corrupt);
}

TEST(Attachments, ComeBackFitToBeShown) {
    Attachment attachment;
    attachment.node = "a";
    attachment.epoch = 7;
    attachment.copies.push_back({"b", CopyMode::WO, 4096, 1, 2, "it was closed"});
    EXPECT_EQ(parse_attachment(encode_attachment(attachment)), attachment);
    attachment.copies[0].error = "\x1b[2J";
    const auto parsed = parse_attachment(encode_attachment(attachment)).value();
    EXPECT_EQ(parsed.copies[0].error.find('\x1b'), std::string::npos);
    attachment.copies[0].node = "B!";
    EXPECT_EQ(parse_attachment(encode_attachment(attachment)).error().kind(), Kind::corrupt);
}

}  // namespace
}  // namespace sheaf::replica
