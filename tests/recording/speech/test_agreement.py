from recording.speech.agreement import Agreement
from recording.speech.values import Word


def said(text, start_s=0.0, each_s=0.5):
    return [
        Word(start_s + i * each_s, start_s + (i + 1) * each_s, word) for i, word in enumerate(text.split())
    ]


def texts(words):
    return " ".join(word.text for word in words)


def test_words_are_stable_when_two_hypotheses_in_a_row_agree():
    agreement = Agreement()
    assert agreement.take(said("today we will")) == []
    assert texts(agreement.tail) == "today we will"
    assert texts(agreement.take(said("today we all learn"))) == "today we"
    assert texts(agreement.tail) == "all learn"
    assert texts(agreement.take(said("today we will learn"))) == ""
    assert texts(agreement.take(said("today we will learn how"))) == "will learn"
    assert texts(agreement.tail) == "how"


def test_stable_words_are_never_taken_back():
    agreement = Agreement()
    agreement.take(said("good morning everybody"))
    assert texts(agreement.take(said("good morning everybody"))) == "good morning everybody"
    # Another hypothesis about the same audio: only what is after the stable words counts.
    assert agreement.take(said("could mourn every today we")) == []
    assert texts(agreement.tail) == "today we"


def test_case_and_punctuation_do_not_count_and_the_newer_form_is_kept():
    agreement = Agreement()
    agreement.take(said("Good morning"))
    assert texts(agreement.take(said("good morning, everybody."))) == "good morning,"


def test_a_last_hypothesis_is_stable_as_a_whole():
    agreement = Agreement()
    agreement.take(said("we find"))
    assert texts(agreement.take(said("we find it"), final=True)) == "we find it"
    assert agreement.tail == []
    assert agreement.take([], final=True) == []


def test_after_a_cut_hypotheses_begin_with_new_words():
    agreement = Agreement()
    agreement.take(said("one two"))
    agreement.take(said("one two"))
    agreement.cut(1.0)
    # A repeated word is a new one: it was said after the cut.
    assert agreement.take(said("two three", 1.0)) == []
    assert texts(agreement.take(said("two three", 1.0))) == "two three"


def test_a_word_whose_time_moves_a_little_is_not_said_twice():
    agreement = Agreement()
    agreement.take(said("one two"))
    agreement.take(said("one two"))
    agreement.cut(0.6)
    moved = [Word(0.55, 1.1, "two"), Word(1.1, 1.5, "three")]
    agreement.take(moved)
    assert texts(agreement.take(moved)) == "three"


def test_a_hole_begins_anew():
    agreement = Agreement()
    agreement.take(said("lost words"))
    agreement.reset()
    assert agreement.tail == []
    assert agreement.take(said("lost words", 5.0)) == []
