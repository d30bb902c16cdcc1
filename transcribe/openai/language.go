package openai

import "strings"

// whisperLanguages are the names that servers give to languages, each after
// its tag, as Whisper lists them.
const whisperLanguages = `en english,zh chinese,de german,es spanish,ru russian,ko korean,fr french,ja japanese,
pt portuguese,tr turkish,pl polish,ca catalan,nl dutch,ar arabic,sv swedish,it italian,id indonesian,hi hindi,
fi finnish,vi vietnamese,he hebrew,uk ukrainian,el greek,ms malay,cs czech,ro romanian,da danish,hu hungarian,
ta tamil,no norwegian,th thai,ur urdu,hr croatian,bg bulgarian,lt lithuanian,la latin,mi maori,ml malayalam,
cy welsh,sk slovak,te telugu,fa persian,lv latvian,bn bengali,sr serbian,az azerbaijani,sl slovenian,kn kannada,
et estonian,mk macedonian,br breton,eu basque,is icelandic,hy armenian,ne nepali,mn mongolian,bs bosnian,kk kazakh,
sq albanian,sw swahili,gl galician,mr marathi,pa punjabi,si sinhala,km khmer,sn shona,yo yoruba,so somali,
af afrikaans,oc occitan,ka georgian,be belarusian,tg tajik,sd sindhi,gu gujarati,am amharic,yi yiddish,lo lao,
uz uzbek,fo faroese,ht haitian creole,ps pashto,tk turkmen,nn nynorsk,mt maltese,sa sanskrit,lb luxembourgish,
my myanmar,bo tibetan,tl tagalog,mg malagasy,as assamese,tt tatar,haw hawaiian,ln lingala,ha hausa,ba bashkir,
jv javanese,su sundanese,yue cantonese`

// languageTag returns the BCP 47 tag of a language that a server gives as a
// name or a tag; empty for what is neither.
func languageTag(language string) string {
	language = strings.ToLower(strings.TrimSpace(language))
	for _, entry := range strings.Split(whisperLanguages, ",") {
		tag, name, _ := strings.Cut(strings.TrimSpace(entry), " ")
		if language == name || primaryLanguage(language) == tag {
			return tag
		}
	}
	return ""
}

// primaryLanguage is the part of a tag that servers understand: "en" of "en-GB".
func primaryLanguage(tag string) string {
	primary, _, _ := strings.Cut(strings.ReplaceAll(tag, "_", "-"), "-")
	return strings.ToLower(strings.TrimSpace(primary))
}
