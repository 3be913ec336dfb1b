#include <dunlin/bus/topics.hpp>

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

namespace dunlin::bus {
namespace {

struct Topics {
    std::array<std::uint16_t, 8> lengths{};
    std::array<char, 8 * 16> text{};
    TopicTable table{{.lengths = lengths, .text = text, .bytes_max = 16}};
};

TEST(TopicTable, gives_a_name_the_same_index_every_time) {
    Topics topics;
    const TopicIndex first = topics.table.intern("a/b");
    const TopicIndex second = topics.table.intern("a/c");
    EXPECT_NE(first, second);
    EXPECT_EQ(topics.table.intern("a/b"), first);
    EXPECT_EQ(topics.table.name(first), "a/b");
    EXPECT_EQ(topics.table.name(second), "a/c");
}

TEST(TopicTable, takes_as_many_names_as_it_has_rows_and_no_more) {
    Topics topics;
    std::set<std::uint16_t> indices;
    for (int i = 0; i < 8; ++i) indices.insert(topics.table.intern("topic" + std::to_string(i)).value());
    EXPECT_EQ(indices.size(), 8U);
    EXPECT_EQ(topics.table.intern("one more"), kNoTopic);
    for (int i = 0; i < 8; ++i) {
        const std::string name = "topic" + std::to_string(i);
        EXPECT_EQ(topics.table.name(topics.table.intern(name)), name);
    }
}

TEST(TopicTable, keeps_names_of_the_longest_length_apart) {
    Topics topics;
    const std::string a(16, 'a');
    const std::string b(16, 'b');
    const TopicIndex first = topics.table.intern(a);
    const TopicIndex second = topics.table.intern(b);
    EXPECT_EQ(topics.table.name(first), a);
    EXPECT_EQ(topics.table.name(second), b);
}

TEST(TopicTable, finds_the_same_name_again_but_not_once_it_is_forgotten) {
    Topics topics;
    const TopicIndex first = topics.table.intern("a");
    const TopicIndex second = topics.table.intern("b");
    for (const TopicIndex expected : {first, first, second, first}) EXPECT_EQ(topics.table.find(expected == first ? "a" : "b"), expected);
    topics.table.forget(first);
    EXPECT_EQ(topics.table.find("a"), kNoTopic);
    EXPECT_EQ(topics.table.find(std::string(0xffff, 'a')), kNoTopic) << "as long as a forgotten row says";
    EXPECT_EQ(topics.table.find(""), kNoTopic);
    EXPECT_EQ(topics.table.find("b"), second);
}

TEST(TopicTable, finds_names_behind_a_forgotten_one_and_uses_its_row_again) {
    Topics topics;
    std::array<TopicIndex, 8> indices;
    for (std::size_t i = 0; i < 8; ++i) indices[i] = topics.table.intern("topic" + std::to_string(i));
    for (std::size_t gone = 0; gone < 8; ++gone) {
        topics.table.forget(indices[gone]);
        for (std::size_t i = gone + 1; i < 8; ++i) EXPECT_EQ(topics.table.intern("topic" + std::to_string(i)), indices[i]);
        EXPECT_EQ(topics.table.intern("new" + std::to_string(gone)), indices[gone]);
    }
    EXPECT_EQ(topics.table.intern("one more"), kNoTopic);
}

}  // namespace
}  // namespace dunlin::bus
